import type { MapState } from '../../functions/state/keyed-state.ts';
import { keyIdentity } from '../stage/key-identity.ts';
import { SlotColumn } from '../stage/slot-column.ts';
import { ExpiryQueue } from './expiry-queue.ts';
import type { SlotState, StatePlace } from './slot-state.ts';

/** One entry; never changed, so that an attempt can put an earlier one back. */
interface Entry<K, V> {
  readonly key: K;
  readonly value: V;
  /** Until when it is there; infinity without `ttlMs`. */
  readonly untilMs: number;
  /** Its place in the iteration. */
  readonly order: number;
}

type Entries<K, V> = Map<unknown, Entry<K, V>>;

/** A map for each slot, by the identity of its keys. With `ttlMs` its entries are in the order of their last writes, so that those that have expired are in front. */
export class SlotMapState<K, V> implements MapState<K, V>, SlotState {
  readonly #place: StatePlace;
  readonly #ttlMs: number | undefined;
  readonly #maps = new SlotColumn<Entries<K, V> | undefined>();
  readonly #expiring = new ExpiryQueue();
  #nextOrder = 0;

  constructor(place: StatePlace, ttlMs: number | undefined) {
    this.#place = place;
    this.#ttlMs = ttlMs;
  }

  /** The map of a slot, without what has expired. */
  #read(slot: number): Entries<K, V> | undefined {
    const map = this.#maps.get(slot);
    if (map !== undefined && this.#ttlMs !== undefined) this.#dropExpired(map, Number.POSITIVE_INFINITY);
    return map;
  }

  #dropExpired(map: Entries<K, V>, budget: number): number {
    const nowMs = this.#place.nowMs();
    let dropped = 0;
    for (const [identity, { untilMs }] of map) {
      if (untilMs > nowMs || dropped >= budget) break;
      map.delete(identity);
      dropped++;
    }
    return dropped;
  }

  get size(): number {
    return this.#read(this.#place.slot())?.size ?? 0;
  }

  #entry(key: K): Entry<K, V> | undefined {
    const entry = this.#maps.get(this.#place.slot())?.get(keyIdentity(key));
    return entry === undefined || this.#ttlMs === undefined || entry.untilMs > this.#place.nowMs() ? entry : undefined;
  }

  get(key: K): V | undefined {
    return this.#entry(key)?.value;
  }

  has(key: K): boolean {
    return this.#entry(key) !== undefined;
  }

  set(key: K, value: V): void {
    const slot = this.#place.slot();
    const identity = keyIdentity(key);
    let map = this.#maps.get(slot);
    if (map === undefined) {
      map = new Map();
      this.#maps.set(slot, map);
    }
    this.#willChange(slot, map, identity);
    if (this.#ttlMs === undefined) {
      map.set(identity, { key, value, untilMs: Number.POSITIVE_INFINITY, order: map.get(identity)?.order ?? this.#nextOrder++ });
      return;
    }
    const untilMs = this.#place.nowMs() + this.#ttlMs;
    map.delete(identity);
    map.set(identity, { key, value, untilMs, order: this.#nextOrder++ });
    this.#expiring.add(slot, untilMs);
  }

  delete(key: K): boolean {
    const slot = this.#place.slot();
    const map = this.#maps.get(slot);
    if (map === undefined) return false;
    const was = this.has(key);
    const identity = keyIdentity(key);
    this.#willChange(slot, map, identity);
    map.delete(identity);
    return was;
  }

  /** Notes how the entry comes back, to its place in the order, if the attempt is undone. */
  #willChange(slot: number, map: Entries<K, V>, identity: unknown): void {
    const { undo } = this.#place;
    if (undo === undefined) return;
    const before = map.get(identity);
    undo.push(() => {
      this.#maps.set(slot, map);
      if (before === undefined) {
        map.delete(identity);
        return;
      }
      const keepsPlace = map.get(identity)?.order === before.order;
      map.set(identity, before);
      if (!keepsPlace) sortByOrder(map);
    });
  }

  clear(): void {
    const slot = this.#place.slot();
    const before = this.#maps.get(slot);
    if (before === undefined) return;
    this.#maps.set(slot, undefined);
    this.#place.undo?.push(() => this.#maps.set(slot, before));
  }

  *[Symbol.iterator](): IterableIterator<readonly [K, V]> {
    // As it is now: whoever writes an entry on the way would meet it again at the end.
    const entries = Array.from(this.#read(this.#place.slot())?.values() ?? []);
    for (const { key, value } of entries) yield [key, value];
  }

  isEmpty(slot: number): boolean {
    return (this.#read(slot)?.size ?? 0) === 0;
  }

  expire(budget: number, expired: (slot: number) => void): void {
    if (this.#ttlMs === undefined) return;
    const nowMs = this.#place.nowMs();
    for (let left = budget; left > 0; left--) {
      const slot = this.#expiring.takeDue(nowMs);
      if (slot === undefined) return;
      const map = this.#maps.get(slot);
      if (map === undefined) continue;
      left -= this.#dropExpired(map, left);
      const [first] = map.values();
      if (first !== undefined) this.#expiring.add(slot, first.untilMs);
      else {
        this.#maps.set(slot, undefined);
        expired(slot);
      }
    }
  }

  snapshot(slot: number): unknown {
    return this.isEmpty(slot) ? undefined : new Map([...this.#maps.get(slot)!.values()].map(({ key, value }) => [key, value]));
  }
}

function sortByOrder<K, V>(map: Entries<K, V>): void {
  const entries = [...map].toSorted(([, a], [, b]) => a.order - b.order);
  map.clear();
  for (const [identity, entry] of entries) map.set(identity, entry);
}
