import type { LayoutRegistry } from '../codec/batch-reader.ts';
import type { Core } from '../native/core.ts';
import { forKeys } from './for-keys.ts';
import { SlotColumn } from './slot-column.ts';

/** The keys of one operator in one task: their slots, and which of these may have become free. */
export class KeySlots {
  readonly #core: Core;
  readonly #handle: number;
  readonly #registry: LayoutRegistry;
  readonly #keys = new SlotColumn<unknown>();
  readonly #isLive = new SlotColumn<boolean>();
  readonly #isTouched = new SlotColumn<boolean>();
  #touched: number[] = [];
  #live = 0;
  #slots = new Int32Array(2048);

  constructor(core: Core, job: number, registry: LayoutRegistry) {
    this.#core = core;
    this.#registry = registry;
    this.#handle = core.slotsCreate(job);
  }

  /** How many keys have a slot. */
  get size(): number {
    return this.#live;
  }

  /** The slot of each row of a batch; keys that are new get one. */
  of(image: Buffer, rows: number, keys: readonly unknown[]): Int32Array {
    if (rows > this.#slots.length) this.#slots = new Int32Array(rows * 2);
    this.#core.slotsFor(this.#handle, image, this.#slots);
    const slots = this.#slots.slice(0, rows);
    for (let n = 0; n < rows; n++) {
      const slot = slots[n]!;
      if (this.#isLive.get(slot) === true) continue;
      this.#isLive.set(slot, true);
      this.#keys.set(slot, keys[n]);
      this.#live++;
      // One whose only record fails is free again.
      this.touched(slot);
    }
    return slots;
  }

  /** The slots of keys that come with no batch; those that are new get one. */
  ofKeys(keys: readonly unknown[]): Int32Array {
    const all = new Int32Array(keys.length);
    forKeys(this.#registry, keys, (image, rows, from) => all.set(this.of(image, rows, keys.slice(from, from + rows)), from));
    return all;
  }

  /** Whether a slot belongs to a key. */
  isLive(slot: number): boolean {
    return this.#isLive.get(slot) === true;
  }

  /** Slots that belong to a key. */
  live(): Int32Array {
    const slots = new Int32Array(this.#live);
    for (let slot = 0, found = 0; found < slots.length; slot++) if (this.#isLive.get(slot) === true) slots[found++] = slot;
    return slots;
  }

  /** The slot of a key that has one. */
  find(key: unknown): number | undefined {
    let found: number | undefined;
    forKeys(this.#registry, [key], (image) => {
      const slots = new Int32Array(1);
      this.#core.slotsFor(this.#handle, image, slots);
      if (this.#isLive.get(slots[0]!) === true) [found] = slots;
      // The core gives a slot to whoever asks.
      else this.#core.slotsFree(this.#handle, slots);
    });
    return found;
  }

  /** The keys of slots as bytes, for a checkpoint; nothing of those that belong to no key. */
  keysOf(slots: Int32Array): Uint8Array {
    return this.#core.slotsKeys(this.#handle, slots);
  }

  keyOf(slot: number): unknown {
    return this.#keys.get(slot);
  }

  /** Something of this slot may have gone. */
  touched(slot: number): void {
    if (this.#isTouched.get(slot) === true) return;
    this.#isTouched.set(slot, true);
    this.#touched.push(slot);
  }

  /** Gives those slots to other keys that `free` finds among those that were touched. */
  release(free: (touched: readonly number[]) => readonly number[]): void {
    const touched = this.#touched;
    if (touched.length === 0) return;
    this.#touched = [];
    for (const slot of touched) this.#isTouched.set(slot, false);
    const freed = free(touched.filter((slot) => this.#isLive.get(slot) === true));
    if (freed.length === 0) return;
    for (const slot of freed) {
      this.#isLive.set(slot, false);
      this.#keys.set(slot, undefined);
    }
    this.#live -= freed.length;
    this.#core.slotsFree(this.#handle, Int32Array.from(freed));
  }

  close(): void {
    this.#core.stateDrop(this.#handle);
  }
}
