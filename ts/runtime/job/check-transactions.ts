import { operatorError } from '../../common/errors.ts';
import type { StageNode } from '../../compiler/physical-plan.ts';
import { isTransactionalFunction } from '../../functions/transactional-sink.ts';
import { partOwner } from '../checkpoint/part-owner.ts';
import { RestoredState } from '../checkpoint/restored-state.ts';
import type { SavedValue } from '../checkpoint/value-parts.ts';
import type { Core } from '../native/core.ts';
import { type SavedTransactions, transactionsPart } from '../stage/sink-transactions.ts';
import type { JobPlan } from './job-plan.ts';

/**
 * What sinks had prepared in the epoch that a job goes on from has to be committed by somebody.
 *
 * @throws SageError SAGE_CHECKPOINT_UNCLAIMED when a sink is no longer transactional, unless that is allowed.
 */
export function checkTransactions(core: Core, job: number, { physical }: JobPlan, allowDropped: boolean): void {
  for (const { nodes, parallelism } of physical.stages) {
    for (const node of nodes.filter(isSink)) {
      const owner = partOwner(node, { instance: 0, parallelism });
      const { name } = owner;
      const { declaredAt } = node.operator.transformation;
      const saved = savedBy(new RestoredState(core, job, 0, parallelism), node, parallelism);
      if (saved.every(({ value }) => value.prepared.length === 0)) continue;
      if (!isTransactional(node) && !allowDropped) {
        throw operatorError('SAGE_CHECKPOINT_UNCLAIMED', `sink '${name}' had prepared records for a commit, and has no prepare() and commit() now`, {
          operator: name,
          declaredAt,
          help: 'Give it the two methods again, or leave those records behind with allowDropped: true.',
        });
      }
    }
  }
}

function isSink({ op }: StageNode): boolean {
  return op.kind === 'sink' || (op.kind === 'native' && op.role === 'sink');
}

function isTransactional({ op }: StageNode): boolean {
  return op.kind === 'sink' && op.sink.form === 'function' && isTransactionalFunction(op.sink.fn);
}

/** Whether a job has sinks that commit when a checkpoint is safe. */
export function hasTransactions({ physical }: JobPlan): boolean {
  return physical.stages.some(({ nodes }) => nodes.some(isTransactional));
}

function savedBy(restored: RestoredState, node: StageNode, parallelism: number): readonly SavedValue<SavedTransactions>[] {
  let saved: readonly SavedValue<SavedTransactions>[] = [];
  restored.restore(
    transactionsPart(
      partOwner(node, { instance: 0, parallelism }),
      () => ({ prepared: [] }),
      (all) => {
        saved = all;
      },
    ),
  );
  return saved;
}
