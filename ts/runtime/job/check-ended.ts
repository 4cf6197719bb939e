import { operatorId } from '../../compiler/execution/operator-id.ts';
import { type Stage, type StageNode, failingOperator } from '../../compiler/physical-plan.ts';
import { operatorError } from '../../common/errors.ts';
import type { Core } from '../native/core.ts';
import { OPERATOR_HAD_ENDED, OPERATOR_IS_NEW } from '../native/core.ts';
import type { JobPlan } from './job-plan.ts';

/**
 * An operator that had come to its end, in all of its instances, has given what it gives then, and takes no more records: also where it shares a task with
 * operators that go on. Between tasks the core looks itself.
 *
 * @throws SageError SAGE_CHECKPOINT_RESCALE when a source that has records left is in front of it now.
 */
export function checkEnded(core: Pick<Core, 'checkpointOperator' | 'checkpointRestored'>, job: number, { physical }: JobPlan): void {
  for (const stage of physical.stages) {
    const giving = new Map<number, StageNode>();
    const states = stage.nodes.map((node) => core.checkpointOperator(job, operatorId(node.operator)));
    // Where everything that is known had ended, the core does not run the task, whatever is new in it.
    const isOver = states.includes(OPERATOR_HAD_ENDED) && states.every((state) => state === OPERATOR_HAD_ENDED || state === OPERATOR_IS_NEW);
    for (const node of stage.nodes) {
      const state = states[node.id]!;
      const source = isSource(node) && state !== OPERATOR_HAD_ENDED ? node : giving.get(node.id);
      if (source === undefined) continue;
      const ended = state === OPERATOR_HAD_ENDED ? node : isOver && source === node ? endedIn(stage, states) : undefined;
      if (ended !== undefined) throw hasRecords(core.checkpointRestored(job), source, ended);
      for (const child of [...node.children, ...node.sides.map((side) => side.node)]) giving.set(child, source);
    }
  }
}

function isSource({ op }: StageNode): boolean {
  return op.kind === 'source' || (op.kind === 'native' && op.role === 'source');
}

function endedIn({ nodes }: Stage, states: readonly number[]): StageNode {
  return nodes[states.indexOf(OPERATOR_HAD_ENDED)]!;
}

function hasRecords(epoch: number, source: StageNode, ended: StageNode): Error {
  const [from, { name, transformation }] = [failingOperator(source).name, failingOperator(ended)];
  return operatorError('SAGE_CHECKPOINT_RESCALE', `'${name}' had come to its end in epoch ${epoch}, and would be given records of '${from}' now`, {
    operator: name,
    declaredAt: transformation.declaredAt,
    help: `Give '${name}' another uid(), so that it begins anew, or go on without '${from}'.`,
  });
}
