import type { FunctionMetrics } from '../../functions/function-metrics.ts';
import type { LayoutRegistry } from '../codec/batch-reader.ts';
import { copyImage } from '../codec/copy-image.ts';
import type { Core } from '../native/core.ts';
import { ChangedSlots } from '../checkpoint/changed-slots.ts';
import type { SlotStates, StatesSink } from '../checkpoint/states-part.ts';
import { keyIdentity, keyOfIdentity } from '../stage/key-identity.ts';
import { KeySlots } from '../stage/key-slots.ts';
import type { KeyBatch, KeyPlaces, SavedKey } from './key-places.ts';
import { KeyedStateStore, type StateOwner } from './keyed-state-store.ts';

/** Keys whose bytes the core gives in one call. */
const SAVED_AT_ONCE = 4096;
/** Keys that get their slots in one call. */
const RESTORED_AT_ONCE = 4096;

/** All keys in memory: a key has its slot for as long as it holds anything, and the slot is the owner of its timers. */
export class MemoryKeyPlaces implements KeyPlaces {
  readonly state: KeyedStateStore;
  readonly #slots: KeySlots;
  readonly #changed = new ChangedSlots();
  readonly #withoutTimers: (owners: readonly number[]) => readonly number[];
  /** Batches that have slots and were not worked on yet: a slot of theirs must not go to another key. */
  #waiting: KeyBatch | undefined;

  constructor(core: Core, job: number, registry: LayoutRegistry, owner: StateOwner, withoutTimers: (owners: readonly number[]) => readonly number[]) {
    this.#slots = new KeySlots(core, job, registry);
    this.#withoutTimers = withoutTimers;
    this.state = new KeyedStateStore({ ...owner, keyOf: (slot) => this.#slots.keyOf(slot) });
  }

  admit(image: Buffer, keys: readonly unknown[], isNext: boolean): KeyBatch {
    if (isNext) return (this.#waiting = { image: undefined, keys, slots: this.#slots.of(image, keys.length, keys), owners: undefined });
    // Slots are given when it is its turn: a slot may go to another key between two batches.
    return { image: copyImage(image), keys, slots: undefined, owners: undefined };
  }

  slotOf(batch: KeyBatch, row: number): number {
    if (batch === this.#waiting) this.#waiting = undefined;
    batch.slots ??= this.#slots.of(batch.image!, batch.keys.length, batch.keys);
    return batch.slots[row]!;
  }

  ownerOf(batch: KeyBatch, row: number): number {
    return this.slotOf(batch, row);
  }

  keyOf(owner: number): unknown {
    return this.#slots.keyOf(owner);
  }

  slotOfOwner(owner: number): number {
    return owner;
  }

  touched(slot: number): void {
    this.#slots.touched(slot);
    this.#changed.add(slot);
  }

  timersChanged(owner: number): void {
    this.#slots.touched(owner);
  }

  release(rows: number): void {
    if (this.#waiting !== undefined) return;
    this.state.expire(rows, (slot) => this.#slots.touched(slot));
    this.#slots.release((slots) => {
      const empty = slots.filter((slot) => this.state.isEmpty(slot));
      if (empty.length === 0) return empty;
      const freed = this.#withoutTimers(empty);
      for (const slot of freed) this.#changed.leave(() => keyIdentity(this.#slots.keyOf(slot)));
      return freed;
    });
  }

  snapshot(name: string, key: unknown): unknown {
    const slot = this.#slots.find(key);
    return slot === undefined ? undefined : this.state.named(name)?.snapshot(slot);
  }

  save(to: StatesSink): void {
    this.#changed.restart();
    this.#saveSlots(to, this.#slots.live());
  }

  saveChanges(to: StatesSink): boolean {
    const changed = this.#changed.takeSlots(this.#slots.size);
    if (changed === undefined) return false;
    // First, as a key may have come again.
    for (const identity of changed.gone) to.remove(keyOfIdentity(identity));
    this.#saveSlots(to, Int32Array.from(changed.slots));
    return true;
  }

  #saveSlots(to: StatesSink, slots: Int32Array): void {
    const { state } = this;
    const states: SlotStates = { write: (slot, out) => state.write(slot, out), save: (slot) => state.save(slot), keyOf: (slot) => this.#slots.keyOf(slot) };
    for (let from = 0; from < slots.length; from += SAVED_AT_ONCE) to.putSlots(this.#slots.keysOf(slots.subarray(from, from + SAVED_AT_ONCE)), states);
  }

  restore(saved: Iterable<SavedKey>): void {
    let some: SavedKey[] = [];
    for (const one of saved) {
      if (some.push(one) < RESTORED_AT_ONCE) continue;
      this.#restore(some);
      some = [];
    }
    this.#restore(some);
  }

  #restore(saved: readonly SavedKey[]): void {
    const slots = this.#slots.ofKeys(saved.map(([key]) => key));
    saved.forEach(([, states], n) => this.state.restore(slots[n]!, states));
  }

  ownersOf(keys: readonly unknown[]): Int32Array {
    return this.#slots.ofKeys(keys);
  }

  report(metrics: FunctionMetrics): void {
    metrics.gauge('keys held').set(this.#slots.size);
  }

  close(): void {
    this.#slots.close();
  }
}
