import { SageError, atOperator, toSageError } from '../../common/errors.ts';
import type { SourceLocation } from '../../common/source-location.ts';
import { leaf } from '../../compiler/layout/layout.ts';
import type { FunctionMetrics } from '../../functions/function-metrics.ts';
import type { LayoutRegistry } from '../codec/batch-reader.ts';
import { BatchWriter } from '../codec/batch-writer.ts';
import { copyImage } from '../codec/copy-image.ts';
import { KeyBytesWriter } from '../codec/key-bytes.ts';
import { type StateExchange, readStateExchange } from '../codec/state-exchange.ts';
import { StateValuesReader, StateValuesWriter } from '../codec/state-values.ts';
import { type Core, FOUND_ABSENT, FOUND_SLOT, FOUND_TOO_SMALL } from '../native/core.ts';
import { keyIdentity } from '../stage/key-identity.ts';
import { KeySlots } from '../stage/key-slots.ts';
import { StateCountGauges } from './state-count-gauges.ts';
import type { DueTimers, KeyBatch, KeyPlaces } from './key-places.ts';
import { KeyedStateStore, type StateOwner } from './keyed-state-store.ts';
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
  readonly #writer: StateValuesWriter;
  readonly #reader: StateValuesReader;
  readonly #keyBytes = new KeyBytesWriter();
  /** By number of state. */
  readonly #watches: StateWatch[] = [];
  #hasTtl = false;
  /** The batch that the core is at work on. */
  #open: KeyBatch | undefined;
  /** What is to be given up with it. */
  #leaving: StateExchange | undefined;
  #exchange = Buffer.from(new ArrayBuffer(1 << 16));
  readonly #found = new Int32Array(2);
  readonly #gauges: StateCountGauges;
  #metrics: FunctionMetrics | undefined;

  constructor(host: DiskHost, place: DiskPlace, owner: Omit<StateOwner, 'watch'>) {
    const { core, job, registry } = host;
    this.#host = host;
    this.#operator = owner.operator;
    this.#owners = new KeySlots(core, job, registry);
    this.#writer = new StateValuesWriter(registry);
    this.#reader = new StateValuesReader(registry);
    const { operator, memoryBytes, directory } = place;
    this.#handle = core.keyedStateCreate(job, JSON.stringify({ states: [], disk: { operator, budgetBytes: memoryBytes, directory: directory ?? null } }));
    this.#gauges = new StateCountGauges(core, this.#handle);
    this.state = new KeyedStateStore({ ...owner, watch: (name, ttlMs) => this.#declare(name, ttlMs) });
  }

  #declare(name: string, ttlMs: number | undefined): StateWatch {
    // One more than it takes: values say themselves to the fraction of a millisecond until when they are there.
    const spec = ttlMs === undefined ? { name } : { name, ttlMs: Math.ceil(ttlMs) + 1 };
    this.#inCore((core) => core.keyedStateDeclare(this.#handle, JSON.stringify(spec)));
    this.#hasTtl ||= ttlMs !== undefined;
    const watch = new StateWatch({ operator: this.#operator, keyInHand: this.#host.keyInHand }, name);
    this.#watches.push(watch);
    return watch;
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
    const { all } = this.state;
    for (let n = 0; n < expired.length; n += 2) all[expired[n + 1]!]!.forget(expired[n]!);
    const values = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    for (let n = 0, start = 0; n < loaded.length; n += 3) {
      const end = loaded[n + 2]!;
      all[loaded[n + 1]!]!.restore(loaded[n]!, this.#decode(values, start, end, loaded[n + 1]!), end - start);
      start = end;
    }
    return exchange;
  }

  #decode(bytes: Buffer, start: number, end: number, state: number): unknown {
    try {
      return this.#reader.read(bytes, start, end);
    } catch (error) {
      throw new SageError('SAGE_STATE_CORRUPT', `a value of the state '${this.state.names[state]}' of '${this.#operator}' cannot be read`, { operator: this.#operator, cause: error });
    }
  }

  /** Tells the core what the batch at work has changed, and gives it what has to leave memory. */
  #finish(): void {
    const batch = this.#open;
    if (batch === undefined) return;
    this.#open = undefined;
    const { all } = this.state;
    const changes: number[] = [];
    this.#watches.forEach((watch, number) => {
      const state = all[number]!;
      for (const slot of watch.takeChanged()) changes.push(slot, number, this.#bytes(state, slot, batch, watch));
    });
    const leaving = this.#leaving;
    this.#leaving = undefined;
    const ends = this.#encode(leaving?.toEncode);
    this.#inCore((core) => core.keyedStateFinish(this.#handle, this.state.nowMs(), Int32Array.from(changes), ends, this.#writer.bytes()));
    if (leaving !== undefined) for (const slot of leaving.givenUp) for (const state of all) state.forget(slot);
  }

  #bytes(state: SlotState, slot: number, batch: KeyBatch, watch: StateWatch): number {
    try {
      return Math.min(MAX_INT32, Math.max(REMOVED, state.bytes(slot)));
    } catch (error) {
      // An object was changed where it is, and the record that did it is done.
      throw watch.notStorable(error instanceof SageError ? error.cause : error, batch.keys[batch.slots!.indexOf(slot)]);
    }
  }

  /** Encodes the values of these pairs of slot and state; where each ends. */
  #encode(pairs: Int32Array | undefined): Int32Array {
    const writer = this.#writer;
    writer.reset();
    if (pairs === undefined) return NOTHING;
    const { all } = this.state;
    const ends = new Int32Array(pairs.length / 2);
    for (let n = 0; n < pairs.length; n += 2) {
      const number = pairs[n + 1]!;
      try {
        ends[n / 2] = writer.write(all[number]!.save(pairs[n]!));
      } catch (error) {
        throw this.#watches[number]!.notStorable(error, undefined);
      }
    }
    return ends;
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
    this.#keyBytes.reset();
    this.#keyBytes.write(key);
    const number = this.state.names.indexOf(name);
    const canonical = Uint8Array.from(this.#keyBytes.bytes());
    for (let size = 1024; ; ) {
      const into = Buffer.from(new ArrayBuffer(size));
      this.#inCore((core) => core.keyedStateFind(this.#handle, this.state.nowMs(), number, canonical, this.#found, into));
      const [kind, value] = this.#found as unknown as readonly [number, number];
      if (kind === FOUND_ABSENT) return undefined;
      if (kind === FOUND_SLOT) return state.snapshot(value);
      if (kind !== FOUND_TOO_SMALL) return state.show(this.#decode(into, 0, value, number));
      size = value;
    }
  }

  saved(): never {
    throw this.#notSaved();
  }

  restore(): never {
    throw this.#notSaved();
  }

  ownersOf(keys: readonly unknown[]): Int32Array {
    return this.#owners.ofKeys(keys);
  }

  /** The plan of a job with both is refused. */
  #notSaved(): SageError {
    return new SageError('SAGE_INTERNAL', `the states of '${this.#operator}' are on disk, and checkpoints do not have them yet`);
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
