import type { SavedState } from './saved-state.ts';

/** What was restored of states that nobody has declared yet, by name: a state may be declared at its first use. It is saved again with the others. */
export class WaitingStates {
  readonly #byName = new Map<string, Map<number, SavedState>>();

  add(slot: number, saved: SavedState): void {
    const [name] = saved;
    let bySlot = this.#byName.get(name);
    if (bySlot === undefined) this.#byName.set(name, (bySlot = new Map()));
    bySlot.set(slot, saved);
  }

  /** All of a state that is being declared. */
  named(name: string): ReadonlyMap<number, SavedState> | undefined {
    return this.#byName.get(name);
  }

  /** It has been declared, and has got everything. */
  declared(name: string): void {
    this.#byName.delete(name);
  }

  has(slot: number): boolean {
    for (const bySlot of this.#byName.values()) if (bySlot.has(slot)) return true;
    return false;
  }

  /** What waits of a state for a slot. */
  of(slot: number, name: string): SavedState | undefined {
    return this.#byName.get(name)?.get(slot);
  }

  /** What waits of a state for a slot is on disk, or has expired. */
  forget(slot: number, name: string): void {
    this.#byName.get(name)?.delete(slot);
  }

  /** What waits for a slot. */
  *allOf(slot: number): Generator<SavedState> {
    for (const bySlot of this.#byName.values()) {
      const saved = bySlot.get(slot);
      if (saved !== undefined) yield saved;
    }
  }
}
