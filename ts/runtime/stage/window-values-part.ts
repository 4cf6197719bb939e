import { SageError } from '../../common/errors.ts';
import type { PartOwner } from '../checkpoint/part-owner.ts';
import type { StatePart } from '../checkpoint/state-part.ts';
import { keyedValuePart } from '../checkpoint/value-parts.ts';
import { readKey } from '../codec/key-bytes.ts';
import type { CoreWindows, KeyAccumulators } from './core-windows.ts';
import { keyIdentity } from './key-identity.ts';
import type { RestoredTrigger, SavedTrigger } from './saved-triggers.ts';
import type { WindowProgram } from './window-program.ts';
import type { WindowValues } from './window-values.ts';

/** What JavaScript keeps of one window or pane, in a checkpoint. */
interface SavedAccumulator {
  readonly start: number;
  readonly end: number;
  readonly held: unknown;
  readonly trigger: SavedTrigger | undefined;
}

/** Windows whose content is kept in JavaScript, by the numbers of the core. */
export interface ListedWindows {
  readonly windows: Pick<CoreWindows, 'accumulators' | 'changedAccumulators'>;
  readonly values: WindowValues;
  readonly program: WindowProgram;
  readonly keyed: boolean;
}

/**
 * What windows hold where JavaScript keeps it: for each key its accumulators, in the order of the core, which gives them other numbers when it
 * restores them. The part of the core comes first: it also says what has changed. A trigger of the user changes what it keeps whenever it likes, and
 * waits in a place among all of the instance: with one, all is saved each time.
 */
export function windowValuesPart(owner: PartOwner, { windows, values, program, keyed }: ListedWindows): StatePart {
  const { triggers } = program;
  const keyOf = ({ key }: Pick<KeyAccumulators, 'key'>): unknown => (keyed ? readKey(key, 0, key.length) : undefined);
  const saved = ({ accumulators }: KeyAccumulators, triggerOf?: (acc: number) => SavedTrigger | undefined): readonly SavedAccumulator[] => accumulators.map(({ acc, start, end }) => ({ start, end, held: values.save(acc), trigger: triggerOf?.(acc) }));
  return keyedValuePart<readonly SavedAccumulator[]>(owner, {
    name: 'values',
    describe: () => 'what a window holds',
    save: function* save() {
      const triggerOf = triggers?.save();
      for (const one of windows.accumulators()) yield [keyOf(one), saved(one, triggerOf)];
    },
    changes() {
      if (triggers !== undefined) return undefined;
      const changed = windows.changedAccumulators();
      return changed && Array.from(changed, (one) => [keyOf(one), one.accumulators && saved(one)]);
    },
    restore(entries) {
      const byKey = new Map(Array.from(entries, ([key, accumulators]) => [keyIdentity(key), accumulators]));
      const restored: RestoredTrigger[] = [];
      for (const one of windows.accumulators()) {
        const key = keyOf(one);
        const { slot, accumulators } = one;
        const held = byKey.get(keyIdentity(key)) ?? [];
        program.restoreKey(slot, key);
        accumulators.forEach(({ acc, start, end }, n) => {
          const from = held[n];
          if (from?.start !== start || from.end !== end || held.length !== accumulators.length) {
            throw new SageError('SAGE_INTERNAL', `what the windows of '${owner.name}' hold does not belong to the windows of the checkpoint`);
          }
          values.restore(acc, from.held);
          if (from.trigger !== undefined) restored.push({ acc, slot, bounds: { start, end }, saved: from.trigger });
        });
      }
      triggers?.restore(restored);
    },
  });
}
