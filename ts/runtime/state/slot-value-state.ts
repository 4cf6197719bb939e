import type { ValueState } from '../../functions/state/keyed-state.ts';
import { SlotColumn } from '../stage/slot-column.ts';
import { ExpiryQueue } from './expiry-queue.ts';
import { settledState } from './settled-state.ts';
import type { SlotState, StatePlace } from './slot-state.ts';
import type { StateWatch } from './state-watch.ts';

/** One value for each slot. */
export class SlotValueState<T> implements ValueState<T>, SlotState {
  readonly #place: StatePlace;
  readonly #ttlMs: number | undefined;
  readonly #makeDefault: () => T | undefined;
  readonly #values = new SlotColumn<T | undefined>();
  /** With `ttlMs`: until when a value is there. */
  readonly #untilMs = new SlotColumn<number>();
  readonly #watch: StateWatch | undefined;
  /** With state on disk the core says what has expired. */
  readonly #expiring: ExpiryQueue | undefined;

  constructor(place: StatePlace, ttlMs: number | undefined, watch: StateWatch | undefined, defaultValue?: T) {
    this.#place = place;
    this.#ttlMs = ttlMs;
    this.#watch = watch;
    this.#expiring = watch === undefined ? new ExpiryQueue() : undefined;
    this.#makeDefault = typeof defaultValue === 'object' && defaultValue !== null ? () => structuredClone(defaultValue) : () => defaultValue;
  }

  get(): T | undefined {
    const slot = this.#place.slot();
    const value = this.#read(slot);
    if (value === undefined) return this.#makeDefault();
    this.#watch?.handedOut(slot, value);
    return value;
  }

  #read(slot: number): T | undefined {
    const value = this.#values.get(slot);
    if (value === undefined || this.#ttlMs === undefined || this.#untilMs.get(slot)! > this.#place.nowMs()) return value;
    return undefined;
  }

  set(value: T | undefined): void {
    const slot = this.#place.slot();
    if (this.#watch !== undefined) {
      this.#watch.sizeOf(value);
      this.#watch.changed(slot);
    }
    const { undo } = this.#place;
    if (undo !== undefined) {
      const before = this.#values.get(slot);
      const untilMs = this.#untilMs.get(slot) ?? 0;
      undo.push(() => this.#write(slot, before, untilMs));
    }
    this.#write(slot, value, this.#ttlMs === undefined ? 0 : this.#place.nowMs() + this.#ttlMs);
  }

  #write(slot: number, value: T | undefined, untilMs: number): void {
    if (value === undefined && slot >= this.#values.length) return;
    this.#values.set(slot, value);
    if (this.#ttlMs === undefined) return;
    this.#untilMs.set(slot, untilMs);
    if (value !== undefined) this.#expiring?.add(slot, untilMs);
  }

  update(fn: (value: T | undefined) => T): T {
    const value = settledState(fn(this.get()), 'the function of update');
    this.set(value);
    return value;
  }

  clear(): void {
    this.set(undefined);
  }

  isEmpty(slot: number): boolean {
    return this.#read(slot) === undefined;
  }

  expire(budget: number, expired: (slot: number) => void): void {
    const expiring = this.#expiring;
    if (this.#ttlMs === undefined || expiring === undefined) return;
    const nowMs = this.#place.nowMs();
    for (let n = 0; n < budget; n++) {
      const slot = expiring.takeDue(nowMs);
      if (slot === undefined) return;
      if (this.#values.get(slot) === undefined) continue;
      const untilMs = this.#untilMs.get(slot)!;
      if (untilMs > nowMs) expiring.add(slot, untilMs);
      else {
        this.#values.set(slot, undefined);
        expired(slot);
      }
    }
  }

  snapshot(slot: number): unknown {
    return this.#read(slot);
  }

  bytes(slot: number): number {
    const value = this.#values.get(slot);
    return value === undefined ? -1 : this.#watch!.sizeOf(value);
  }

  save(slot: number): unknown {
    const value = this.#values.get(slot);
    return this.#ttlMs === undefined || value === undefined ? value : [value, this.#untilMs.get(slot)];
  }

  restore(slot: number, saved: unknown): void {
    if (this.#ttlMs === undefined || saved === undefined) {
      this.#values.set(slot, saved as T | undefined);
      return;
    }
    const [value, untilMs] = saved as [T, number];
    this.#values.set(slot, value);
    this.#untilMs.set(slot, untilMs);
    this.#expiring?.add(slot, untilMs);
  }

  show(saved: unknown): unknown {
    if (this.#ttlMs === undefined || saved === undefined) return saved;
    const [value, untilMs] = saved as [T, number];
    return untilMs > this.#place.nowMs() ? value : undefined;
  }

  forget(slot: number): void {
    if (slot < this.#values.length) this.#values.set(slot, undefined);
  }
}
