import { describeStates, type SavedState } from '../state/saved-state.ts';
import type { EntryWriter } from './entry-writer.ts';
import type { PartOwner } from './part-owner.ts';
import type { SavedStatesWriter } from './saved-states.ts';
import type { KeyedStatePart } from './state-part.ts';
import { notSaved } from './value-parts.ts';

/** States whose keys are slots of the core. */
export interface SlotStates {
  /** Gives what they hold for a slot, straight from where it is. */
  write(slot: number, to: SavedStatesWriter): void;
  /** The same as values, for messages. */
  save(slot: number): readonly SavedState[];
  keyOf(slot: number): unknown;
}

/** Takes what states hold by key. Each call throws SageError SAGE_STATE_VALUE, SAGE_KEY_UNSUPPORTED for what cannot be saved. */
export interface StatesSink {
  put(key: unknown, states: readonly SavedState[]): void;
  /** As `put` for all of `keys`, entries of the core (`slotsKeys`), and as `remove` where nothing is held any more. */
  putSlots(keys: Uint8Array, states: SlotStates): void;
  /** Of changes: nothing is held for a key any more. */
  remove(key: unknown): void;
}

/** What the states of a user function hold. */
export interface KeyedStates {
  /** Gives each key that has something once. */
  save(to: StatesSink): void;
  /** Gives what has changed since the last call of this or of `save`; gives nothing, and is false, when everything is to be saved. The last one of a key counts. */
  changes(to: StatesSink): boolean;
  /** @param entries as `OwnStatePart.restore`; a key may come several times when instances had it that it does not belong to */
  restore(entries: Iterable<readonly [key: unknown, states: readonly SavedState[]]>): void;
}

const PART = { name: 'state', describe: describeStates };

/** The part `state` of a user function. What cannot be saved is an error that says whose it is. */
export function keyedStatesPart(owner: PartOwner, states: KeyedStates): KeyedStatePart {
  return {
    kind: 'keyed',
    operator: owner.operator,
    name: PART.name,
    save: (entries) => states.save(sinkOf(owner, entries, false)),
    saveChanges: (entries) => states.changes(sinkOf(owner, entries, true)),
    restore: (entries) => states.restore(entries.states()),
  };
}

function sinkOf(owner: PartOwner, entries: EntryWriter, areChanges: boolean): StatesSink {
  return {
    put(key, states) {
      try {
        entries.putStates(key, states);
      } catch (error) {
        throw notSaved(error, owner, PART, states, { key });
      }
    },
    putSlots(keys, states) {
      entries.putSlots(keys, areChanges, (slot, to) => {
        try {
          states.write(slot, to);
        } catch (error) {
          throw notSaved(error, owner, PART, states.save(slot), { key: states.keyOf(slot) });
        }
      });
    },
    remove: (key) => entries.removeKey(key),
  };
}
