import type { ListState } from '../../functions/state/keyed-state.ts';
import { SlotColumn } from '../stage/slot-column.ts';
import { ExpiryQueue } from './expiry-queue.ts';
import type { SlotState, StatePlace } from './slot-state.ts';
import type { StateWatch } from './state-watch.ts';

/** From so many expired elements at the front on, and when they are half of all, their room is given back. */
const MIN_COMPACTED = 32;

/** What a list takes besides its elements. */
const EMPTY_BYTES = 120;

/** The elements of one key, those before `first` being gone. */
interface Elements<T> {
  readonly items: T[];
  /** With `ttlMs`: until when each is there. */
  readonly untilMs: number[];
  first: number;
  /** With state on disk: about how much memory the elements take. */
  bytes: number;
}

/** A list for each slot. */
export class SlotListState<T> implements ListState<T>, SlotState {
  readonly #place: StatePlace;
  readonly #ttlMs: number | undefined;
  readonly #lists = new SlotColumn<Elements<T> | undefined>();
  readonly #watch: StateWatch | undefined;
  /** With state on disk the core says what has expired. */
  readonly #expiring: ExpiryQueue | undefined;

  constructor(place: StatePlace, ttlMs: number | undefined, watch: StateWatch | undefined) {
    this.#place = place;
    this.#ttlMs = ttlMs;
    this.#watch = watch;
    this.#expiring = watch === undefined ? new ExpiryQueue() : undefined;
  }

  /** The list of a slot, without what has expired. */
  #read(slot: number): Elements<T> | undefined {
    const list = this.#lists.get(slot);
    if (list !== undefined && this.#ttlMs !== undefined) this.#dropExpired(list, Number.POSITIVE_INFINITY);
    return list;
  }

  /** Elements were added in the order of their times, so that those that have expired are in front; gives how many went. */
  #dropExpired(list: Elements<T>, budget: number): number {
    const nowMs = this.#place.nowMs();
    const { items, untilMs } = list;
    const from = list.first;
    while (list.first < items.length && list.first - from < budget && untilMs[list.first]! <= nowMs) {
      items[list.first] = undefined as T;
      list.first++;
    }
    const dropped = list.first - from;
    if (dropped > 0) list.bytes -= Math.floor((list.bytes * dropped) / (items.length - from));
    if (list.first >= MIN_COMPACTED && list.first * 2 >= items.length) {
      items.splice(0, list.first);
      untilMs.splice(0, list.first);
      list.first = 0;
    }
    return dropped;
  }

  get length(): number {
    const list = this.#read(this.#place.slot());
    return list === undefined ? 0 : list.items.length - list.first;
  }

  add(element: T): void {
    const slot = this.#place.slot();
    const bytes = this.#watch?.sizeOf(element) ?? 0;
    this.#watch?.changed(slot);
    let list = this.#read(slot);
    if (list === undefined) {
      list = { items: [], untilMs: [], first: 0, bytes: 0 };
      this.#lists.set(slot, list);
    }
    list.items.push(element);
    list.bytes += bytes;
    if (this.#ttlMs !== undefined) {
      const untilMs = this.#place.nowMs() + this.#ttlMs;
      list.untilMs.push(untilMs);
      this.#expiring?.add(slot, untilMs);
    }
    const { undo } = this.#place;
    if (undo === undefined) return;
    undo.push(() => {
      // What has expired meanwhile was in front of it, or was it.
      if (list.items.length === list.first) return;
      list.items.pop();
      list.untilMs.pop();
      list.bytes -= bytes;
    });
  }

  addAll(elements: Iterable<T>): void {
    for (const element of elements) this.add(element);
  }

  clear(): void {
    const slot = this.#place.slot();
    const before = this.#lists.get(slot);
    if (before === undefined) return;
    this.#watch?.changed(slot);
    this.#lists.set(slot, undefined);
    this.#place.undo?.push(() => this.#lists.set(slot, before));
  }

  *[Symbol.iterator](): IterableIterator<T> {
    const slot = this.#place.slot();
    const list = this.#read(slot);
    if (list === undefined) return;
    const items = list.items.slice(list.first);
    if (this.#watch !== undefined) for (const item of items) this.#watch.handedOut(slot, item);
    yield* items;
  }

  isEmpty(slot: number): boolean {
    const list = this.#read(slot);
    return list === undefined || list.items.length === list.first;
  }

  expire(budget: number, expired: (slot: number) => void): void {
    const expiring = this.#expiring;
    if (this.#ttlMs === undefined || expiring === undefined) return;
    const nowMs = this.#place.nowMs();
    for (let left = budget; left > 0; left--) {
      const slot = expiring.takeDue(nowMs);
      if (slot === undefined) return;
      const list = this.#lists.get(slot);
      if (list === undefined) continue;
      left -= this.#dropExpired(list, left);
      if (list.items.length > list.first) expiring.add(slot, list.untilMs[list.first]!);
      else {
        this.#lists.set(slot, undefined);
        expired(slot);
      }
    }
  }

  snapshot(slot: number): unknown {
    if (this.isEmpty(slot)) return undefined;
    const { items, first } = this.#lists.get(slot)!;
    return items.slice(first);
  }

  bytes(slot: number): number {
    const list = this.#read(slot);
    return list === undefined || list.items.length === list.first ? -1 : EMPTY_BYTES + Math.max(0, list.bytes);
  }

  save(slot: number): unknown {
    const list = this.#read(slot);
    if (list === undefined) return undefined;
    const items = list.items.slice(list.first);
    return this.#ttlMs === undefined ? items : [items, list.untilMs.slice(list.first)];
  }

  restore(slot: number, saved: unknown, bytes: number): void {
    if (saved === undefined) {
      this.#lists.set(slot, undefined);
      return;
    }
    const { items, untilMs } = this.#saved(saved);
    this.#lists.set(slot, { items, untilMs, first: 0, bytes });
    if (untilMs.length > 0) this.#expiring?.add(slot, untilMs[0]!);
  }

  #saved(saved: unknown): { readonly items: T[]; readonly untilMs: number[] } {
    if (this.#ttlMs === undefined) return { items: saved as T[], untilMs: [] };
    const [items, untilMs] = saved as [T[], number[]];
    return { items, untilMs };
  }

  show(saved: unknown): unknown {
    if (saved === undefined) return undefined;
    const { items, untilMs } = this.#saved(saved);
    const nowMs = this.#place.nowMs();
    const there = this.#ttlMs === undefined ? items : items.filter((_, n) => untilMs[n]! > nowMs);
    return there.length === 0 ? undefined : there;
  }

  forget(slot: number): void {
    if (slot < this.#lists.length) this.#lists.set(slot, undefined);
  }
}
