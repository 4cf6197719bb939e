import { atOperator, type SageError, toSageError } from '../../common/errors.ts';
import type { SourceLocation } from '../../common/source-location.ts';
import { failingOperator } from '../../compiler/physical-plan.ts';
import type { JobPlan } from './job-plan.ts';

/** An error as the core posts it. */
export interface CoreError {
  readonly code: string;
  readonly message: string;
  readonly context?: Readonly<Record<string, unknown>>;
}

/** An error of the core; that of a native task gets the operator that it works for. */
export function coreErrorOf(plan: JobPlan | undefined, error: CoreError): SageError {
  const task = plan?.graph.tasks.find(({ id }) => id === error.context?.['task']);
  if (plan === undefined || task === undefined) return toSageError(new Error(JSON.stringify(error)), loopPlace(plan, error.context?.['loop']));
  // On the thread of a reader other operators work too.
  const { node, row: _, record, ...context } = error.context ?? {};
  const nodes = plan.physical.stages[task.stage]!.nodes;
  const operator = failingOperator((typeof node === 'number' ? nodes[node] : undefined) ?? nodes[0]!);
  const where = { operator: operator.name, declaredAt: operator.transformation.declaredAt };
  const known = new Error(JSON.stringify({ ...error, context }));
  if (node === undefined) return toSageError(known, where);
  return atOperator(toSageError(known), typeof record === 'string' ? { ...where, record: JSON.parse(record) as unknown } : where);
}

/** Where the future of a loop was made: the core knows loops by name, and no task is to blame for what is in them. */
function loopPlace(plan: JobPlan | undefined, name: unknown): { operator?: string; declaredAt?: SourceLocation } {
  const nodes = name === undefined ? [] : (plan?.physical.stages.flatMap((stage) => stage.nodes) ?? []);
  const future = nodes.find(({ operator }) => operator.kind === 'fromFuture' && operator.name === name)?.operator;
  return future === undefined ? {} : { operator: future.name, declaredAt: future.transformation.declaredAt };
}
