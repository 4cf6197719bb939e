import { SageError, atOperator, toSageError } from '../../common/errors.ts';
import type { SourceLocation } from '../../common/source-location.ts';
import { KEY_GROUPS } from '../../compiler/compile-options.ts';
import { leaf } from '../../compiler/layout/layout.ts';
import type { FunctionMetrics } from '../../functions/function-metrics.ts';
import { EntryReader } from '../checkpoint/entry-reader.ts';
import { EntryWriter } from '../checkpoint/entry-writer.ts';
import type { StatesSink } from '../checkpoint/states-part.ts';
import type { LayoutRegistry } from '../codec/batch-reader.ts';
import { BatchWriter } from '../codec/batch-writer.ts';
import { copyImage } from '../codec/copy-image.ts';
import { KeyBytesWriter, readKey } from '../codec/key-bytes.ts';
import { type StateExchange, readStateExchange } from '../codec/state-exchange.ts';
import { type Core, FOUND_ABSENT, FOUND_SLOT, FOUND_TOO_SMALL } from '../native/core.ts';
import { keyIdentity, keyOfIdentity } from '../stage/key-identity.ts';
import { KeySlots } from '../stage/key-slots.ts';
import { StateCountGauges } from './state-count-gauges.ts';
import { DiskStateValues } from './disk-state-values.ts';
import type { DueTimers, KeyBatch, KeyPlaces, OwnKeys, SavedKey } from './key-places.ts';
import { KeyedStateStore, type StateOwner } from './keyed-state-store.ts';
import { type SavedState, expiresAtMs } from './saved-state.ts';
import type { SlotState } from './slot-state.ts';
import { StateWatch } from './state-watch.ts';

/** Where an operator keeps its states on disk. */
export interface DiskPlace {
  /** The number of the operator, the same in all instances. */
  readonly operator: number;
  readonly memoryBytes: number;
  readonly directory: string | undefined;
}

/** What the states on disk need of the job. */
export interface DiskHost {
  readonly core: Core;
  readonly job: number;
  readonly registry: LayoutRegistry;
  /** Those of these owners that have no timer. */
  readonly withoutTimers: (owners: readonly number[]) => readonly number[];
  /** The key of the record or timer in hand. */
  readonly keyInHand: () => unknown;
  /** Where the user declared the operator. */
  readonly declaredAt: SourceLocation;
}

const REMOVED = -1;
const NO_TTL = -1;
/** Of what was restored: how long it lives will be known when the state is declared. */
const UNKNOWN_TTL_MS = 2 ** 52;
/** Before the value in an entry of the core. */
const EXPIRY_BYTES = 8;
const NEVER = 2n ** 64n - 1n;
/** Values that are given to the store in one call. */
const STORED_AT_ONCE = 4096;
/** Keys that are noted as changed; when there are more everything is handed over. */
const MOST_CHANGES = 500_000;
/** Bytes that are restored in one call. */
const RESTORED_BYTES = 1 << 20;
const MAX_INT32 = 2 ** 31 - 1;

/**
 * States on disk, with those of the keys in use in memory: the core says who comes and goes (`docs/internals/keyed-state.md`). A batch is
 * begun when its first row comes in hand, and finished when something else is to be worked on: another batch, or keys whose timers
 * are due, which are a batch of their own. Owners of timers have numbers of their own, so that a timer keeps nothing but its key in memory.
 */
export class DiskKeyPlaces implements KeyPlaces {
  readonly state: KeyedStateStore;
  readonly #host: DiskHost;
  readonly #operator: string;
  readonly #owners: KeySlots;
  readonly #handle: number;
  readonly #values: DiskStateValues;
  readonly #keyBytes = new KeyBytesWriter();
  #hasTtl = false;
  /** The batch that the core is at work on. */
  #open: KeyBatch | undefined;
  /** What is to be given up with it. */
  #leaving: StateExchange | undefined;
  #exchange = Buffer.from(new ArrayBuffer(1 << 16));
  readonly #found = new Int32Array(2);
  #read = Buffer.from(new ArrayBuffer(1024));
  readonly #gauges: StateCountGauges;
  #metrics: FunctionMetrics | undefined;
  /** By identity: keys with states that have changed since they were last handed over; none before the first time. */
  #changed: Set<unknown> | undefined;

  constructor(host: DiskHost, place: DiskPlace, owner: Omit<StateOwner, 'watch'>) {
    const { core, job, registry } = host;
    this.#host = host;
    this.#operator = owner.operator;
    this.#owners = new KeySlots(core, job, registry);
    this.#values = new DiskStateValues(registry, owner.operator);
    const { operator, memoryBytes, directory } = place;
    this.#handle = core.keyedStateCreate(job, JSON.stringify({ states: [], disk: { operator, budgetBytes: memoryBytes, directory: directory ?? null } }));
    this.#gauges = new StateCountGauges(core, this.#handle);
    this.state = new KeyedStateStore({ ...owner, keyOf: (slot) => this.#keyOfSlot(slot), watch: (name, ttlMs) => this.#declare(name, ttlMs) });
    this.#values.belongTo(this.state);
  }

  #declare(name: string, ttlMs: number | undefined): StateWatch {
    const values = this.#values;
    // One more than it takes: values say themselves to the fraction of a millisecond until when they are there.
    const coreTtlMs = ttlMs === undefined ? undefined : Math.ceil(ttlMs) + 1;
    const known = values.numberOf(name);
    if (known === undefined) this.#declareToCore(name, coreTtlMs);
    else this.#inCore((core) => core.keyedStateSetTtl(this.#handle, known, coreTtlMs ?? NO_TTL));
    this.#hasTtl ||= ttlMs !== undefined;
    const watch = new StateWatch({ operator: this.#operator, keyInHand: this.#host.keyInHand }, name);
    values.watches[values.numberOf(name)!] = watch;
    return watch;
  }

  /** The key of a slot of the batch at work; nothing for others, which only the core knows. */
  #keyOfSlot(slot: number): unknown {
    const row = this.#open?.slots?.indexOf(slot) ?? -1;
    return row < 0 ? undefined : this.#open!.keys[row];
  }

  /** The number of the state. */
  #declareToCore(name: string, ttlMs: number | undefined): number {
    const spec = ttlMs === undefined ? { name } : { name, ttlMs };
    this.#inCore((core) => core.keyedStateDeclare(this.#handle, JSON.stringify(spec)));
    return this.#values.names.push(name) - 1;
  }

  admit(image: Buffer, keys: readonly unknown[]): KeyBatch {
    return { image: copyImage(image), keys, slots: undefined, owners: undefined };
  }

  slotOf(batch: KeyBatch, row: number): number {
    if (this.#open !== batch) this.#begin(batch);
    return batch.slots![row]!;
  }

  ownerOf(batch: KeyBatch, row: number): number {
    batch.owners ??= this.#owners.of(batch.image!, batch.keys.length, batch.keys);
    return batch.owners[row]!;
  }

  keyOf(owner: number): unknown {
    return this.#owners.keyOf(owner);
  }

  slotOfOwner(owner: number, due: DueTimers): number {
    const row = this.#open?.owners?.indexOf(owner) ?? -1;
    if (row >= 0) return this.#open!.slots![row]!;
    const batch = this.#batchOf(Int32Array.from(new Set([owner, ...due.dueNext()])));
    this.#begin(batch);
    return batch.slots![0]!;
  }

  /** The keys of owners as a batch: the first of them at least, for keys of several kinds are several batches. */
  #batchOf(owners: Int32Array): KeyBatch {
    const keys = Array.from(owners, (owner) => this.#owners.keyOf(owner));
    const batches: KeyBatch[] = [];
    const writer = new BatchWriter({
      registry: this.#host.registry,
      keyed: true,
      encoding: 'columns',
      row: leaf('nil'),
      deliver: (image, rows) => {
        if (batches.length === 0) batches.push({ image: copyImage(image), keys: keys.slice(0, rows), slots: undefined, owners: owners.slice(0, rows) });
      },
    });
    for (const key of keys) {
      if (batches.length > 0) break;
      writer.append(null, key);
    }
    writer.flush();
    return batches[0]!;
  }

  #begin(batch: KeyBatch): void {
    this.#finish();
    const slots = batch.slots ?? new Int32Array(batch.keys.length);
    const bytes = this.#inCore((core) => core.keyedStateBegin(this.#handle, this.state.nowMs(), batch.image!, slots));
    batch.slots = slots;
    this.#open = batch;
    this.#leaving = this.#exchanged(bytes);
  }

  /** Calls the core; its errors, such as those of the store, get the operator that they belong to. */
  #inCore<T>(call: (core: Core) => T): T {
    try {
      return call(this.#host.core);
    } catch (error) {
      const where = { operator: this.#operator, declaredAt: this.#host.declaredAt };
      throw atOperator(toSageError(error, where), where);
    }
  }

  /** Forgets what has expired and takes in what was loaded; the rest stays to be done when the batch is finished. */
  #exchanged(bytes: number): StateExchange | undefined {
    if (bytes === 0) return undefined;
    if (bytes > this.#exchange.length) this.#exchange = Buffer.from(new ArrayBuffer(bytes * 2));
    const image = this.#exchange.subarray(0, bytes);
    this.#host.core.keyedStateTake(this.#handle, image);
    const exchange = readStateExchange(image);
    const { expired, loaded, data } = exchange;
    for (let n = 0; n < expired.length; n += 2) this.#values.forget(expired[n]!, expired[n + 1]!);
    const values = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    for (let n = 0, start = 0; n < loaded.length; n += 3) {
      const end = loaded[n + 2]!;
      this.#values.load(loaded[n]!, loaded[n + 1]!, values, start, end);
      start = end;
    }
    return exchange;
  }

  /** Tells the core what the batch at work has changed, and gives it what has to leave memory. */
  #finish(): void {
    const batch = this.#open;
    if (batch === undefined) return;
    this.#open = undefined;
    const values = this.#values;
    const changes: number[] = [];
    values.watches.forEach((watch, number) => {
      if (watch === undefined) return;
      const state = values.stateOf(number)!;
      for (const slot of watch.takeChanged()) changes.push(slot, number, this.#bytes(state, slot, batch, watch));
    });
    const leaving = this.#leaving;
    this.#leaving = undefined;
    if (this.#changed !== undefined) this.#noteChanged(batch, changes);
    const ends = values.encode(leaving?.toEncode ?? NOTHING);
    this.#inCore((core) => core.keyedStateFinish(this.#handle, this.state.nowMs(), Int32Array.from(changes), ends, values.bytes()));
    if (leaving !== undefined) for (const slot of leaving.givenUp) this.#forget(slot);
  }

  #bytes(state: SlotState, slot: number, batch: KeyBatch, watch: StateWatch): number {
    try {
      return Math.min(MAX_INT32, Math.max(REMOVED, state.bytes(slot)));
    } catch (error) {
      // An object was changed where it is, and the record that did it is done.
      throw watch.notStorable(error instanceof SageError ? error.cause : error, batch.keys[batch.slots!.indexOf(slot)]);
    }
  }

  /** Notes the keys of a batch that have changes: slot, state and bytes, one behind the other. */
  #noteChanged({ slots, keys }: KeyBatch, changes: readonly number[]): void {
    if (this.#changed!.size > MOST_CHANGES) return;
    const changed = new Set<number>();
    for (let n = 0; n < changes.length; n += 3) changed.add(changes[n]!);
    keys.forEach((key, row) => {
      if (changed.delete(slots![row]!)) this.#changed!.add(keyIdentity(key));
    });
  }

  #forget(slot: number): void {
    for (let number = 0; number < this.#values.names.length; number++) this.#values.forget(slot, number);
  }

  touched(): void {
    // The core knows of each slot whether it holds anything.
  }

  timersChanged(owner: number): void {
    this.#owners.touched(owner);
  }

  release(rows: number): void {
    this.#finish();
    if (this.#hasTtl && rows === 0) this.#exchanged(this.#inCore((core) => core.keyedStateExpire(this.#handle, this.state.nowMs())));
    this.#owners.release((owners) => this.#host.withoutTimers(owners));
  }

  snapshot(name: string, key: unknown): unknown {
    const state = this.state.named(name);
    if (state === undefined) return undefined;
    // What a batch has written the core is told when it is finished.
    const identity = keyIdentity(key);
    const row = this.#open?.keys.findIndex((one) => [keyIdentity(one)].includes(identity)) ?? -1;
    if (row >= 0) return state.snapshot(this.#open!.slots![row]!);
    const number = this.#values.numberOf(name)!;
    const found = this.#find(key, number);
    if (found === undefined) return undefined;
    return typeof found === 'number' ? state.snapshot(found) : this.#values.show(number, found, key);
  }

  /** Where a state of a key is, if it holds anything: its slot, or the bytes that the store has. */
  #find(key: unknown, number: number): number | Buffer | undefined {
    this.#keyBytes.reset();
    this.#keyBytes.write(key);
    const canonical = Uint8Array.from(this.#keyBytes.bytes());
    for (let size = 1024; ; ) {
      if (this.#read.length < size) this.#read = Buffer.from(new ArrayBuffer(size));
      this.#inCore((core) => core.keyedStateFind(this.#handle, this.state.nowMs(), number, canonical, this.#found, this.#read));
      const [kind, value] = this.#found as unknown as readonly [number, number];
      if (kind === FOUND_ABSENT) return undefined;
      if (kind === FOUND_SLOT) return value;
      if (kind !== FOUND_TOO_SMALL) return this.#read.subarray(0, value);
      size = value;
    }
  }

  save(to: StatesSink, { instance, parallelism }: OwnKeys): void {
    this.#finish();
    this.#changed = new Set();
    this.#storeAll();
    const nowMs = this.state.nowMs();
    // One group at a time, so that no more than that is in memory.
    for (let group = 0; group < KEY_GROUPS; group++) {
      if (Math.floor((group * parallelism) / KEY_GROUPS) !== instance) continue;
      const byKey = new Map<string, SavedState[]>();
      for (let number = 0; number < this.#values.names.length; number++) {
        const read = this.#inCore((core) => core.keyedStateEntries(this.#handle, nowMs, number, group, KEY_GROUPS));
        for (const { key, value } of new EntryReader(Buffer.from(read.buffer, read.byteOffset, read.byteLength))) {
          const saved = this.#values.saved(number, value, EXPIRY_BYTES);
          const bytes = key.toString('latin1');
          const states = byKey.get(bytes);
          if (states === undefined) byKey.set(bytes, [saved]);
          else states.push(saved);
        }
      }
      for (const [bytes, states] of byKey) to.put(readKey(Buffer.from(bytes, 'latin1'), 0, bytes.length), states);
    }
  }

  /** Gives the store all values of the keys in memory; they stay there. */
  #storeAll(): void {
    const pairs = new Int32Array(1 + 2 * STORED_AT_ONCE);
    for (let slot = 0; slot >= 0; ) {
      slot = this.#inCore((core) => core.keyedStateDirty(this.#handle, slot, pairs));
      const found = pairs.slice(1, 1 + 2 * pairs[0]!);
      const ends = this.#values.encode(found);
      this.#inCore((core) => core.keyedStateStore(this.#handle, found, ends, this.#values.bytes()));
    }
  }

  saveChanges(to: StatesSink): boolean {
    this.#finish();
    const changed = this.#changed;
    if (changed === undefined || changed.size > MOST_CHANGES) return false;
    this.#changed = new Set();
    for (const identity of changed) {
      const key = keyOfIdentity(identity);
      const saved = this.#values.names.map((_, number) => this.#savedState(key, number)).filter((state) => state !== undefined);
      if (saved.length === 0) to.remove(key);
      else to.put(key, saved);
    }
    return true;
  }

  /** What a state holds for a key, wherever it is. */
  #savedState(key: unknown, number: number): SavedState | undefined {
    const found = this.#find(key, number);
    if (found === undefined || typeof found !== 'number') return found === undefined ? undefined : this.#values.saved(number, found, 0);
    return this.#values.savedOf(found, number);
  }

  restore(saved: Iterable<SavedKey>): void {
    const nowMs = this.state.nowMs();
    const values = this.#values;
    const waiting: EntryWriter[] = [];
    const flush = (number: number): void => {
      this.#inCore((core) => core.keyedStateRestore(this.#handle, nowMs, number, waiting[number]!.finish()));
      waiting[number]!.reset();
    };
    for (const [key, states] of saved) {
      this.#keyBytes.reset();
      this.#keyBytes.write(key);
      const canonical = this.#keyBytes.bytes();
      for (const one of states) {
        const expires = expiresAtMs(one);
        const number = values.numberOf(one[0]) ?? this.#expect(one, expires !== undefined);
        const entries = (waiting[number] ??= new EntryWriter(() => undefined));
        entries.put(canonical, behindExpiry(expires, values.encodeSaved(one)));
        if (entries.length >= RESTORED_BYTES) flush(number);
      }
    }
    waiting.forEach((_, number) => flush(number));
  }

  /** A state is restored that nobody has declared: what comes of it into memory waits until then. */
  #expect([name, type]: SavedState, expires: boolean): number {
    this.state.expect(name, type);
    this.#hasTtl ||= expires;
    return this.#declareToCore(name, expires ? UNKNOWN_TTL_MS : undefined);
  }

  ownersOf(keys: readonly unknown[]): Int32Array {
    return this.#owners.ofKeys(keys);
  }

  report(metrics: FunctionMetrics): void {
    this.#metrics = metrics;
    this.#gauges.set(metrics);
  }

  close(): void {
    if (this.#metrics !== undefined) this.#gauges.setLast(this.#metrics);
    this.#owners.close();
    this.#host.core.stateDrop(this.#handle);
  }
}

const NOTHING = new Int32Array(0);

/** A value of a checkpoint as an entry for the store: until when it is there, to the millisecond and a little longer, and its bytes. */
function behindExpiry(expiresMs: number | undefined, value: Uint8Array): Uint8Array {
  const entry = Buffer.allocUnsafe(EXPIRY_BYTES + value.length);
  entry.writeBigUInt64LE(expiresMs === undefined ? NEVER : BigInt(Math.max(0, Math.ceil(expiresMs)) + 1), 0);
  entry.set(value, EXPIRY_BYTES);
  return entry;
}
