import type { MapState } from '../../functions/state/keyed-state.ts';
import { keyIdentity } from '../stage/key-identity.ts';
import { SlotColumn } from '../stage/slot-column.ts';
import { ExpiryQueue } from './expiry-queue.ts';
import type { SlotState, StatePlace } from './slot-state.ts';
import type { StateWatch } from './state-watch.ts';

/** One entry; never changed, so that an attempt can put an earlier one back. */
interface Entry<K, V> {
  readonly key: K;
  readonly value: V;
  /** Until when it is there; infinity without `ttlMs`. */
  readonly untilMs: number;
  /** Its place in the iteration. */
  readonly order: number;
  /** With state on disk: about how much memory key and value take. */
  readonly bytes: number;
}

type Entries<K, V> = Map<unknown, Entry<K, V>>;

/** What a map takes besides its entries, and an entry besides its key and value. */
const EMPTY_BYTES = 160;
const ENTRY_BYTES = 120;

/** A map for each slot, by the identity of its keys. With `ttlMs` its entries are in the order of their last writes, so that those that have expired are in front. */
export class SlotMapState<K, V> implements MapState<K, V>, SlotState {
  readonly #place: StatePlace;
  readonly #ttlMs: number | undefined;
  readonly #maps = new SlotColumn<Entries<K, V> | undefined>();
  readonly #watch: StateWatch | undefined;
  /** With state on disk: what the entries of a slot take. */
  readonly #bytes = new SlotColumn<number>();
  /** With state on disk the core says what has expired. */
  readonly #expiring: ExpiryQueue | undefined;
  #nextOrder = 0;

  constructor(place: StatePlace, ttlMs: number | undefined, watch: StateWatch | undefined) {
    this.#place = place;
    this.#ttlMs = ttlMs;
    this.#watch = watch;
    this.#expiring = watch === undefined ? new ExpiryQueue() : undefined;
  }

  /** The map of a slot, without what has expired. */
  #read(slot: number): Entries<K, V> | undefined {
    const map = this.#maps.get(slot);
    if (map !== undefined && this.#ttlMs !== undefined) this.#dropExpired(slot, map, Number.POSITIVE_INFINITY);
    return map;
  }

  #dropExpired(slot: number, map: Entries<K, V>, budget: number): number {
    const nowMs = this.#place.nowMs();
    let dropped = 0;
    for (const [identity, { untilMs, bytes }] of map) {
      if (untilMs > nowMs || dropped >= budget) break;
      map.delete(identity);
      this.#grow(slot, -bytes);
      dropped++;
    }
    return dropped;
  }

  /** With state on disk: the entries of a slot take so much more. */
  #grow(slot: number, bytes: number): void {
    if (this.#watch !== undefined) this.#bytes.set(slot, (this.#bytes.get(slot) ?? 0) + bytes);
  }

  get size(): number {
    return this.#read(this.#place.slot())?.size ?? 0;
  }

  #entry(key: K): Entry<K, V> | undefined {
    const entry = this.#maps.get(this.#place.slot())?.get(keyIdentity(key));
    return entry === undefined || this.#ttlMs === undefined || entry.untilMs > this.#place.nowMs() ? entry : undefined;
  }

  get(key: K): V | undefined {
    const entry = this.#entry(key);
    if (entry === undefined) return undefined;
    this.#watch?.handedOut(this.#place.slot(), entry.value);
    return entry.value;
  }

  has(key: K): boolean {
    return this.#entry(key) !== undefined;
  }

  set(key: K, value: V): void {
    const slot = this.#place.slot();
    const identity = keyIdentity(key);
    const bytes = this.#watch === undefined ? 0 : ENTRY_BYTES + this.#watch.sizeOf(key) + this.#watch.sizeOf(value);
    let map = this.#maps.get(slot);
    if (map === undefined) {
      map = new Map();
      this.#maps.set(slot, map);
    }
    this.#willChange(slot, map, identity);
    const before = map.get(identity);
    this.#grow(slot, bytes - (before?.bytes ?? 0));
    if (this.#ttlMs === undefined) {
      map.set(identity, { key, value, untilMs: Number.POSITIVE_INFINITY, order: before?.order ?? this.#nextOrder++, bytes });
      return;
    }
    const untilMs = this.#place.nowMs() + this.#ttlMs;
    map.delete(identity);
    map.set(identity, { key, value, untilMs, order: this.#nextOrder++, bytes });
    this.#expiring?.add(slot, untilMs);
  }

  delete(key: K): boolean {
    const slot = this.#place.slot();
    const map = this.#maps.get(slot);
    if (map === undefined) return false;
    const was = this.has(key);
    const identity = keyIdentity(key);
    this.#willChange(slot, map, identity);
    this.#grow(slot, -(map.get(identity)?.bytes ?? 0));
    map.delete(identity);
    return was;
  }

  /** Notes how the entry comes back, to its place in the order, if the attempt is undone. */
  #willChange(slot: number, map: Entries<K, V>, identity: unknown): void {
    this.#watch?.changed(slot);
    const { undo } = this.#place;
    if (undo === undefined) return;
    const before = map.get(identity);
    undo.push(() => {
      this.#maps.set(slot, map);
      this.#grow(slot, (before?.bytes ?? 0) - (map.get(identity)?.bytes ?? 0));
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
    const bytes = this.#bytes.get(slot) ?? 0;
    this.#watch?.changed(slot);
    this.#maps.set(slot, undefined);
    this.#grow(slot, -bytes);
    this.#place.undo?.push(() => {
      this.#maps.set(slot, before);
      this.#grow(slot, bytes);
    });
  }

  *[Symbol.iterator](): IterableIterator<readonly [K, V]> {
    // As it is now: whoever writes an entry on the way would meet it again at the end.
    const slot = this.#place.slot();
    const entries = Array.from(this.#read(slot)?.values() ?? []);
    if (this.#watch !== undefined) for (const { value } of entries) this.#watch.handedOut(slot, value);
    for (const { key, value } of entries) yield [key, value];
  }

  isEmpty(slot: number): boolean {
    return (this.#read(slot)?.size ?? 0) === 0;
  }

  expire(budget: number, expired: (slot: number) => void): void {
    const expiring = this.#expiring;
    if (this.#ttlMs === undefined || expiring === undefined) return;
    const nowMs = this.#place.nowMs();
    for (let left = budget; left > 0; left--) {
      const slot = expiring.takeDue(nowMs);
      if (slot === undefined) return;
      const map = this.#maps.get(slot);
      if (map === undefined) continue;
      left -= this.#dropExpired(slot, map, left);
      const [first] = map.values();
      if (first !== undefined) expiring.add(slot, first.untilMs);
      else {
        this.#maps.set(slot, undefined);
        expired(slot);
      }
    }
  }

  snapshot(slot: number): unknown {
    return this.isEmpty(slot) ? undefined : new Map([...this.#maps.get(slot)!.values()].map(({ key, value }) => [key, value]));
  }

  bytes(slot: number): number {
    return this.isEmpty(slot) ? -1 : EMPTY_BYTES + (this.#bytes.get(slot) ?? 0);
  }

  save(slot: number): unknown {
    const map = this.#read(slot);
    if (map === undefined) return undefined;
    const saved: unknown[] = [];
    for (const { key, value, untilMs } of map.values()) {
      saved.push(key, value);
      if (this.#ttlMs !== undefined) saved.push(untilMs);
    }
    return saved;
  }

  #saved(saved: unknown): Omit<Entry<K, V>, 'order' | 'bytes'>[] {
    const parts = saved as unknown[];
    const width = this.#ttlMs === undefined ? 2 : 3;
    return Array.from({ length: parts.length / width }, (_, n) => ({
      key: parts[n * width] as K,
      value: parts[n * width + 1] as V,
      untilMs: this.#ttlMs === undefined ? Number.POSITIVE_INFINITY : (parts[n * width + 2] as number),
    }));
  }

  restore(slot: number, saved: unknown, bytes: number): void {
    if (saved === undefined) {
      this.forget(slot);
      return;
    }
    const entries = this.#saved(saved);
    // Its share of what all took when they were written is near enough.
    const share = ENTRY_BYTES + Math.ceil(bytes / Math.max(1, entries.length));
    this.#maps.set(slot, new Map(entries.map((entry) => [keyIdentity(entry.key), { ...entry, order: this.#nextOrder++, bytes: share }])));
    this.#bytes.set(slot, share * entries.length);
    if (this.#ttlMs !== undefined && entries.length > 0) this.#expiring?.add(slot, entries[0]!.untilMs);
  }

  show(saved: unknown): unknown {
    if (saved === undefined) return undefined;
    const nowMs = this.#place.nowMs();
    const there = this.#saved(saved).filter(({ untilMs }) => untilMs > nowMs);
    return there.length === 0 ? undefined : new Map(there.map(({ key, value }) => [key, value]));
  }

  forget(slot: number): void {
    if (slot < this.#maps.length) this.#maps.set(slot, undefined);
    if (slot < this.#bytes.length) this.#bytes.set(slot, 0);
  }
}

function sortByOrder<K, V>(map: Entries<K, V>): void {
  const entries = [...map].toSorted(([, a], [, b]) => a.order - b.order);
  map.clear();
  for (const [identity, entry] of entries) map.set(identity, entry);
}
