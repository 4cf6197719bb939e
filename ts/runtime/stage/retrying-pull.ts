import { outcomeOf, retriesOf } from '../../transformations/error-policy.ts';
import type { StageNode } from '../../compiler/physical-plan.ts';
import { isThenable } from './is-thenable.ts';
import { attempted, backoffMs } from './recovery.ts';
import type { StageBindings } from './stage-bindings.ts';

/** Calls a source's function again when it fails, as its error policy says; `skip` asks it for the next record. */
export function retryingPull(pull: () => unknown, node: StageNode, bindings: StageBindings): () => unknown {
  const { errorPolicy } = node.operator.transformation;
  const firstBackoffMs = typeof errorPolicy === 'object' ? errorPolicy.backoffMs : 0;
  const pullAgain = async (first: unknown): Promise<unknown> => {
    let error = first;
    for (let failures = 1; ; failures++) {
      bindings.control.checkNotOver();
      if (failures > retriesOf(errorPolicy)) {
        if (outcomeOf(errorPolicy) === 'fail') throw error;
        bindings.skipped[node.id]!++;
        failures = 0;
        // A source that fails at once each time must not keep the event loop for itself.
        await bindings.turn();
      } else await bindings.wait(backoffMs(firstBackoffMs, failures, bindings.pace));
      try {
        return await attempted(pull);
      } catch (again) {
        error = again;
      }
    }
  };
  return () => {
    let pulled: unknown;
    try {
      pulled = pull();
    } catch (error) {
      return pullAgain(error);
    }
    return isThenable(pulled) ? Promise.resolve(pulled).catch(pullAgain) : pulled;
  };
}
