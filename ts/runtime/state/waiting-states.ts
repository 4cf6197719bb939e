import { SlotColumn } from '../stage/slot-column.ts';
import type { SavedState } from './saved-state.ts';

/** What was restored of states that nobody has declared yet, by name: a state may be declared at its first use. It is saved again with the others. */
export class WaitingStates {
  /** Columns, as all keys of a job may wait here. */
  readonly #byName = new Map<string, SlotColumn<SavedState | undefined>>();

  add(slot: number, saved: SavedState): void {
    const [name] = saved;
    let column = this.#byName.get(name);
    if (column === undefined) this.#byName.set(name, (column = new SlotColumn()));
    column.set(slot, saved);
  }

  /** All of a state that is being declared. */
  *named(name: string): Generator<readonly [slot: number, saved: SavedState]> {
    const column = this.#byName.get(name);
    if (column === undefined) return;
    for (let slot = 0; slot < column.length; slot++) {
      const saved = column.get(slot);
      if (saved !== undefined) yield [slot, saved];
    }
  }

  /** It has been declared, and has got everything. */
  declared(name: string): void {
    this.#byName.delete(name);
  }

  has(slot: number): boolean {
    for (const column of this.#byName.values()) if (column.get(slot) !== undefined) return true;
    return false;
  }

  /** What waits of a state for a slot. */
  of(slot: number, name: string): SavedState | undefined {
    return this.#byName.get(name)?.get(slot);
  }

  /** What waits of a state for a slot is on disk, or has expired. */
  forget(slot: number, name: string): void {
    const column = this.#byName.get(name);
    if (column !== undefined && slot < column.length) column.set(slot, undefined);
  }

  /** What waits for a slot. */
  allOf(slot: number): readonly SavedState[] {
    if (this.#byName.size === 0) return NOTHING;
    return [...this.#byName.values()].map((column) => column.get(slot)).filter((saved) => saved !== undefined);
  }
}

const NOTHING: readonly SavedState[] = [];
