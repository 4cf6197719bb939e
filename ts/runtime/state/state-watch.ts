import { SageError } from '../../common/errors.ts';
import { describeValue } from '../../functions/check-user-function.ts';
import { SlotColumn } from '../stage/slot-column.ts';
import { NotStorable, storedSize } from './stored-size.ts';

/** What a watch knows of its operator. */
export interface WatchedOwner {
  readonly operator: string;
  /** The key of the record or timer in hand. */
  keyInHand(): unknown;
}

/** What an operator with state on disk has to know of one of its states: which slots were written since it last asked. */
export class StateWatch {
  readonly #owner: WatchedOwner;
  readonly #name: string;
  readonly #isChanged = new SlotColumn<boolean>();
  #changed: number[] = [];

  constructor(owner: WatchedOwner, name: string) {
    this.#owner = owner;
    this.#name = name;
  }

  /** The values of a slot are others now. */
  changed(slot: number): void {
    if (this.#isChanged.get(slot) === true) return;
    this.#isChanged.set(slot, true);
    this.#changed.push(slot);
  }

  /** A value was given to user code: an object may be changed where it is. */
  handedOut(slot: number, value: unknown): void {
    if (typeof value === 'object' && value !== null) this.changed(slot);
  }

  /** About how many bytes a value takes. @throws SageError SAGE_STATE_VALUE for one that cannot be on disk. */
  sizeOf(value: unknown): number {
    try {
      return storedSize(value);
    } catch (error) {
      throw this.notStorable(error, this.#owner.keyInHand());
    }
  }

  /** Why a value cannot be on disk, with where it is. */
  notStorable(error: unknown, key?: unknown): Error {
    const why = error instanceof NotStorable ? `holds ${error.message}` : `cannot be encoded: ${error instanceof Error ? error.message : String(error)}`;
    const { operator } = this.#owner;
    return new SageError('SAGE_STATE_VALUE', `the state '${this.#name}' of '${operator}' for the key ${describeValue(key)} ${why}, which cannot be on disk`, {
      operator,
      context: { state: this.#name },
      help: 'Keep plain data in states: numbers, texts, arrays, plain objects, Map, Set, Date; make objects of classes of it when it is read. Or keep state in memory.',
      cause: error,
    });
  }

  /** The slots that were changed since the last call. */
  takeChanged(): readonly number[] {
    const changed = this.#changed;
    if (changed.length === 0) return changed;
    this.#changed = [];
    for (const slot of changed) this.#isChanged.set(slot, false);
    return changed;
  }
}
