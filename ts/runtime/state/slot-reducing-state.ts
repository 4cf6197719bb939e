import type { ReducingState } from '../../functions/state/keyed-state.ts';
import { settledState } from './settled-state.ts';
import type { SlotState } from './slot-state.ts';
import type { SlotValueState } from './slot-value-state.ts';

/** For each slot what a function has made of all values. */
export class SlotReducingState<T> implements ReducingState<T>, SlotState {
  readonly #name: string;
  readonly #fn: (total: T, value: T) => T;
  readonly #totals: SlotValueState<T>;

  constructor(name: string, fn: (total: T, value: T) => T, totals: SlotValueState<T>) {
    this.#name = name;
    this.#fn = fn;
    this.#totals = totals;
  }

  add(value: T): void {
    const before = this.#totals.get();
    this.#totals.set(before === undefined ? value : settledState(this.#fn(before, value), `the function of the state '${this.#name}'`));
  }

  get(): T | undefined {
    return this.#totals.get();
  }

  clear(): void {
    this.#totals.clear();
  }

  isEmpty(slot: number): boolean {
    return this.#totals.isEmpty(slot);
  }

  expire(budget: number, expired: (slot: number) => void): void {
    this.#totals.expire(budget, expired);
  }

  snapshot(slot: number): unknown {
    return this.#totals.snapshot(slot);
  }

  bytes(slot: number): number {
    return this.#totals.bytes(slot);
  }

  save(slot: number): unknown {
    return this.#totals.save(slot);
  }

  restore(slot: number, saved: unknown): void {
    this.#totals.restore(slot, saved);
  }

  show(saved: unknown): unknown {
    return this.#totals.show(saved);
  }

  forget(slot: number): void {
    this.#totals.forget(slot);
  }
}
