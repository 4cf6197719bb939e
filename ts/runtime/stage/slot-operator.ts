import type { StageNode } from '../../compiler/physical-plan.ts';
import { takesNumbers } from '../../compiler/native-aggregates.ts';
import { type BuiltinAggregator, isBuiltinAggregator } from '../../functions/aggregator.ts';
import type { AnyAggregator } from '../../transformations/aggregate-transformation.ts';
import { leaf } from '../../compiler/layout/layout.ts';
import type { LayoutCache } from '../codec/batch-reader.ts';
import { BatchWriter } from '../codec/batch-writer.ts';
import type { Core } from '../native/core.ts';
import { emitRecords } from './emit-records.ts';
import { type KeyedOperator, type KeyedResults, RESULT_ROWS } from './keyed-operator.ts';
import { type BuiltinState, type Pushed, addBuiltin, builtinResult, isThenable, readAggregateInput } from './linked-node.ts';
import { Pace } from './pace.ts';
import { Quota } from './quota.ts';
import { settledPart } from './settled-part.ts';
import type { StageBindings } from './stage-bindings.ts';
import { NO_RECORD } from './stage-control.ts';

/** One closed batch of keys, with what JavaScript needs to go on with it. */
interface SlotBatch {
  readonly slots: Int32Array;
  readonly keys: readonly unknown[];
  readonly records: readonly unknown[];
  /** The first row that is not accumulated yet. */
  next: number;
}

/** The accumulators of one key: one for a reduce, one for each aggregator else. */
export class SlotOperator implements KeyedOperator {
  keys: unknown[] = [];
  records: unknown[] = [];
  readonly writer: BatchWriter;
  readonly #node: StageNode;
  readonly #bindings: StageBindings;
  readonly #core: Core;
  readonly #handle: number;
  readonly #emitUpdates: boolean;
  readonly #everyMs: number | undefined;
  readonly #accumulators: unknown[][] = [];
  readonly #aggregators: readonly (readonly [string, AnyAggregator])[] | undefined;
  readonly #keyOfSlot: unknown[] = [];
  #closed: SlotBatch[] = [];
  #results: unknown[] = [];
  #changed = new Set<number>();
  /** Slots whose results are to be emitted now, last first. */
  #due: number[] = [];
  readonly #asyncPace = new Pace();
  readonly #workQuota = new Quota();
  readonly #resultQuota = new Quota();
  #nextEmitMs = 0;
  #nextSlot = 0;
  #slots = new Int32Array(2048);

  constructor(node: StageNode, bindings: StageBindings, core: Core, job: number, layouts: LayoutCache) {
    this.#node = node;
    this.#bindings = bindings;
    this.#core = core;
    const { op } = node;
    if (op.kind !== 'reduce' && op.kind !== 'aggregate') throw new TypeError(`operator '${op.kind}' keeps no keyed state`);
    this.#emitUpdates = op.emit === 'update';
    this.#everyMs = typeof op.emit === 'object' ? op.emit.everyMs : undefined;
    this.#aggregators = op.kind === 'aggregate' ? Object.entries(op.spec) : undefined;
    for (let n = 0; n < (this.#aggregators?.length ?? 1); n++) this.#accumulators.push([]);
    this.#handle = core.slotsCreate(job);
    this.writer = new BatchWriter({
      registry: layouts.registry,
      keyed: true,
      encoding: 'columns',
      row: leaf('nil'),
      deliver: (image, rows) => this.#deliver(image, rows),
    });
  }

  #deliver(image: Buffer, rows: number): void {
    if (rows > this.#slots.length) this.#slots = new Int32Array(rows * 2);
    this.#core.slotsFor(this.#handle, image, this.#slots);
    const whole = this.keys.length === rows;
    const keys = whole ? this.keys : this.keys.slice(0, rows);
    const records = whole ? this.records : this.records.slice(0, rows);
    this.keys = whole ? [] : this.keys.slice(rows);
    this.records = whole ? [] : this.records.slice(rows);
    this.#closed.push({ slots: this.#slots.slice(0, rows), keys, records, next: 0 });
    this.#bindings.control.stop = true;
  }

  get hasWork(): boolean {
    return this.#closed.length > 0 || this.#results.length > 0;
  }

  push(value: unknown, key: unknown): Pushed {
    const { control } = this.#bindings;
    const stopped = control.stop;
    this.keys.push(key);
    this.records.push(value);
    try {
      this.writer.append(null, key);
      if (this.#emitUpdates) this.writer.flush();
    } catch (error) {
      throw control.failed(error, this.#node.id, [value], 0);
    }
    if (!this.hasWork) return undefined;
    control.stop = stopped;
    const worked = this.#workOff();
    const emit = (): Promise<void> => emitRecords(this.#results.splice(0), this.#node.id, this.#bindings);
    if (worked !== undefined) return worked.then(emit);
    return this.#results.length === 0 ? undefined : emit();
  }

  /** Works on all closed batches, with turns of the event loop in between when that takes long. */
  #workOff(): Pushed {
    const pace = new Pace();
    while (this.#closed.length > 0) {
      const worked = this.work();
      if (worked !== undefined) return worked.then(() => this.#workOff());
      if (pace.isTurnDue()) return this.#bindings.turn().then(() => this.#workOff());
    }
    return undefined;
  }

  work(): Pushed {
    const batch = this.#closed[0];
    if (batch === undefined) return undefined;
    const from = batch.next;
    const startMs = performance.now();
    const worked = this.#accumulate(batch, Math.min(batch.slots.length, from + this.#workQuota.rows));
    if (worked !== undefined) return worked.then(() => this.#leaveBatch(batch));
    this.#workQuota.measured(performance.now() - startMs, batch.next - from);
    this.#leaveBatch(batch);
    return undefined;
  }

  #leaveBatch(batch: SlotBatch): void {
    if (batch.next === batch.slots.length) this.#closed.shift();
  }

  /** Adds the rows of a batch up to `end`; a promise as soon as one accumulator gives one. */
  #accumulate(batch: SlotBatch, end: number): Pushed {
    const { slots, keys, records } = batch;
    const reduce = this.#aggregators === undefined ? this.#reducer() : undefined;
    const first = this.#accumulators[0]!;
    for (let n = batch.next; n < end; n++) {
      batch.next = n + 1;
      const slot = slots[n]!;
      const isNew = slot >= this.#keyOfSlot.length;
      if (isNew) this.#keyOfSlot[slot] = keys[n];
      if (reduce !== undefined) {
        if (isNew) first[slot] = records[n];
        else {
          const result = reduce(first[slot], records[n], keys[n]);
          if (isThenable(result)) return this.#awaitReduced(result, batch, n, end);
          first[slot] = result;
        }
      } else if (this.#add(slot, isNew, records[n])) {
        return this.#awaitAdded(batch, n, end);
      }
      this.#added(slot);
    }
    return undefined;
  }

  /** The accumulators of the row's key that are promises are awaited before the next row. */
  async #awaitAdded(batch: SlotBatch, n: number, end: number): Promise<void> {
    const slot = batch.slots[n]!;
    try {
      for (const column of this.#accumulators) if (isThenable(column[slot])) column[slot] = await column[slot];
    } catch (error) {
      throw this.#bindings.control.rejected(error, this.#node.id, batch.records[n]);
    }
    this.#bindings.control.checkNotOver();
    this.#added(slot);
    if (this.#asyncPace.isTurnDue()) await this.#bindings.turn();
    await this.#accumulate(batch, end);
  }

  async #awaitReduced(result: PromiseLike<unknown>, batch: SlotBatch, n: number, end: number): Promise<void> {
    const slot = batch.slots[n]!;
    try {
      this.#accumulators[0]![slot] = await result;
    } catch (error) {
      throw this.#bindings.control.rejected(error, this.#node.id, batch.records[n]);
    }
    this.#bindings.control.checkNotOver();
    this.#added(slot);
    if (this.#asyncPace.isTurnDue()) await this.#bindings.turn();
    await this.#accumulate(batch, end);
  }

  #reducer(): (acc: unknown, record: unknown, key: unknown) => unknown {
    const { functions, contexts, control } = this.#bindings;
    const fn = functions[this.#node.id] as ((a: unknown, b: unknown) => unknown) | { execute(a: unknown, b: unknown): unknown };
    const context = contexts[this.#node.id];
    return (acc, record, key) => {
      try {
        if (typeof fn === 'function') return fn(acc, record);
        if (context !== undefined) context.key = key;
        return fn.execute(acc, record);
      } catch (error) {
        throw control.failed(error, this.#node.id, [record], 0);
      }
    };
  }

  /** Adds a record to all accumulators of a key; whether one of them gave a promise. */
  #add(slot: number, isNew: boolean, record: unknown): boolean {
    let isAsync = false;
    try {
      this.#aggregators!.forEach(([name, aggregator], n) => {
        const column = this.#accumulators[n]!;
        if (isBuiltinAggregator(aggregator)) {
          const state = isNew ? (column[slot] = { count: 0, value: 0 }) : column[slot];
          addBuiltin(aggregator.name, state as BuiltinState, this.#input(aggregator, n, record));
        } else {
          const added = aggregator.add(isNew ? settledPart(aggregator.init(), 'init', name) : column[slot], record);
          column[slot] = added;
          isAsync ||= isThenable(added);
        }
      });
    } catch (error) {
      throw this.#bindings.control.failed(error, this.#node.id, [record], 0);
    }
    return isAsync;
  }

  #input(aggregator: BuiltinAggregator<never, unknown>, n: number, record: unknown): unknown {
    if (aggregator.input === undefined) return undefined;
    const input = readAggregateInput(aggregator, record);
    if (typeof input === 'number' || input === undefined || input === null || !takesNumbers(aggregator)) return input;
    return this.#bindings.control.badInput(this.#node.id, n, input, record);
  }

  #added(slot: number): void {
    if (this.#emitUpdates) this.#results.push(this.#result(slot));
    else if (this.#everyMs !== undefined) this.#changed.add(slot);
  }

  #result(slot: number): unknown {
    if (this.#aggregators === undefined) return this.#accumulators[0]![slot];
    const result: Record<string, unknown> = { key: this.#keyOfSlot[slot] };
    try {
      this.#aggregators.forEach(([name, aggregator], n) => {
        const state = this.#accumulators[n]![slot];
        const isBuiltin = isBuiltinAggregator(aggregator);
        result[name] = isBuiltin ? builtinResult(aggregator.name, state as BuiltinState) : settledPart(aggregator.result(state), 'result', name);
      });
    } catch (error) {
      throw this.#bindings.control.threw(error, this.#node.id, NO_RECORD);
    }
    return result;
  }

  /** With `everyMs`: the keys that changed since the last time, when it is time again. */
  emitChanged(nowMs: number): void {
    if (this.#everyMs === undefined) return;
    if (this.#due.length === 0) {
      if (this.#changed.size === 0 || nowMs < this.#nextEmitMs) return;
      this.#nextEmitMs = nowMs + this.#everyMs;
      this.#due = [...this.#changed].toReversed();
      this.#changed.clear();
    }
    this.#giveResults(() => this.#due.pop());
  }

  /** Makes the results of some slots: as many as take about a moment. */
  #giveResults(nextSlot: () => number | undefined): void {
    const quota = this.#resultQuota;
    const startMs = performance.now();
    let rows = 0;
    for (; rows < Math.min(RESULT_ROWS, quota.rows); rows++) {
      const slot = nextSlot();
      if (slot === undefined) break;
      this.#results.push(this.#result(slot));
    }
    quota.measured(performance.now() - startMs, rows);
  }

  dueInMs(nowMs: number): number | undefined {
    if (this.#due.length > 0) return 0;
    return this.#everyMs === undefined || this.#changed.size === 0 ? undefined : Math.max(0, this.#nextEmitMs - nowMs);
  }

  takeResults(): KeyedResults | undefined {
    if (this.#results.length === 0) return undefined;
    return { kind: 'records', records: this.#results.splice(0) };
  }

  flush(): void {
    this.writer.flush();
  }

  drain(): KeyedResults | undefined {
    if (this.#emitUpdates) return undefined;
    if (this.#everyMs !== undefined) this.emitChanged(Number.POSITIVE_INFINITY);
    else this.#giveResults(() => (this.#nextSlot < this.#keyOfSlot.length ? this.#nextSlot++ : undefined));
    return this.takeResults();
  }

  close(): void {
    this.#core.stateDrop(this.#handle);
  }
}
