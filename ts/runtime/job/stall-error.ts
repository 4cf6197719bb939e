import { operatorError, SageError } from '../../common/errors.ts';
import { failingOperator, type Stage } from '../../compiler/physical-plan.ts';
import type { LogicalOperator } from '../../compiler/logical-plan.ts';
import type { Stall } from '../worker/start-worker.ts';
import type { JobPlan } from './job-plan.ts';

/** The error of a worker thread that did not come back from user code, as far as the operator is known. */
export function stallError(plan: JobPlan, isolate: number, { task, isBuilding, silentMs }: Stall): SageError {
  const stage = task === undefined ? undefined : plan.graph.tasks[task]?.stage;
  const operators = (stage === undefined ? stagesOf(plan, isolate) : [plan.physical.stages[stage]!]).flatMap(operatorsOf);
  const names = [...new Set(operators.map(({ name }) => `'${name}'`))].join(', ');
  const where = isBuilding ? 'the code that builds the pipeline there' : stage === undefined ? `code of ${names} that went on behind an await, or in a timer` : `a call of ${names}`;
  const message = `worker ${isolate} of job '${plan.name}' has not come back from ${where} for ${Math.round(silentMs)} ms, and was ended`;
  const [first, ...others] = operators;
  const context = { isolate, stalledMs: Math.round(silentMs) };
  if (isBuilding || first === undefined) return new SageError('SAGE_WORKER_STALLED', message, { context });
  return operatorError('SAGE_WORKER_STALLED', message, {
    operator: others.length === 0 ? first.name : operators.map(({ name }) => name).join(' -> '),
    // One of several is not to be blamed by its place.
    ...(others.length === 0 ? { declaredAt: first.transformation.declaredAt } : { related: operators.map(({ name, transformation }) => ({ what: `'${name}' is declared`, declaredAt: transformation.declaredAt })) }),
    context,
  });
}

function stagesOf({ graph, physical }: JobPlan, isolate: number): Stage[] {
  const ids = new Set(graph.tasks.filter((task) => task.isolate === isolate).map(({ stage }) => stage));
  return physical.stages.filter(({ id }) => ids.has(id));
}

/** Those whose functions run in tasks of the stage: not what is on the other side of an exchange. */
function operatorsOf({ nodes }: Stage): LogicalOperator[] {
  const own = nodes.filter(({ op }) => op.kind !== 'input' && op.kind !== 'output' && op.kind !== 'native');
  const calling = own.filter(({ op }) => !WITHOUT_CALLS.has(op.kind));
  return [...new Set((calling.length > 0 ? calling : own).map(failingOperator))];
}

/** Operators that call nothing of the user's. */
const WITHOUT_CALLS: ReadonlySet<string> = new Set(['select', 'sample', 'limit', 'zipWithIndex', 'rebalance', 'fromFuture', 'fillFuture', 'sideOutput', 'union']);
