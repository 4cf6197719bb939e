import type { StageNode } from '../../compiler/physical-plan.ts';
import { takesNumbers } from '../../compiler/native-aggregates.ts';
import { type BuiltinAggregator, isBuiltinAggregator } from '../../functions/aggregator.ts';
import type { AnyAggregator } from '../../transformations/aggregate-transformation.ts';
import { isTolerant } from '../../transformations/error-policy.ts';
import { ChangedSlots } from '../checkpoint/changed-slots.ts';
import type { PartOwner } from '../checkpoint/part-owner.ts';
import type { StatePart } from '../checkpoint/state-part.ts';
import { keyedValuePart } from '../checkpoint/value-parts.ts';
import { leaf } from '../../compiler/layout/layout.ts';
import type { LayoutCache } from '../codec/batch-reader.ts';
import { BatchWriter } from '../codec/batch-writer.ts';
import type { Core } from '../native/core.ts';
import { emitRecords } from './emit-records.ts';
import { type KeyedOperator, type KeyedResults, RESULT_ROWS } from './keyed-operator.ts';
import { forKeys } from './for-keys.ts';
import { type BuiltinState, addBuiltin, builtinResult, readAggregateInput } from './builtin-state.ts';
import { checkAll, isAddedLast } from './checked-aggregators.ts';
import { isThenable } from './is-thenable.ts';
import type { Pushed } from './linked-node.ts';
import { Pace } from './pace.ts';
import { Quota } from './quota.ts';
import type { FailureKind } from './recovery.ts';
import { settledPart } from './settled-part.ts';
import { SlotColumn } from './slot-column.ts';
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

/** What is kept of one key, in a checkpoint. */
interface SavedKey {
  /** By which keys are in order. */
  readonly slot: number;
  readonly accumulators: readonly unknown[];
  readonly isChanged: boolean;
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
  readonly #layouts: LayoutCache;
  readonly #emitUpdates: boolean;
  readonly #everyMs: number | undefined;
  readonly #accumulators: SlotColumn<unknown>[] = [];
  readonly #isTolerant: boolean;
  readonly #checked: readonly AnyAggregator[];
  readonly #aggregators: readonly (readonly [string, AnyAggregator])[] | undefined;
  readonly #keyOfSlot = new SlotColumn<unknown>();
  /** Whether a slot has accumulators: the first record of its key may have failed. */
  readonly #filled = new SlotColumn<boolean>();
  /** Whether a slot is among those that changed. */
  readonly #isChanged = new SlotColumn<boolean>();
  readonly #sinceSaved = new ChangedSlots();
  #closed: SlotBatch[] = [];
  #results: unknown[] = [];
  #changed = new SlotColumn<number>();
  /** Slots whose results are to be emitted now, from `#nextDue` on. */
  #due = new SlotColumn<number>();
  #nextDue = 0;
  readonly #asyncPace: Pace;
  readonly #workQuota = new Quota();
  readonly #resultQuota = new Quota();
  #nextEmitMs = 0;
  #nextSlot = 0;
  #slots = new Int32Array(2048);

  constructor(node: StageNode, bindings: StageBindings, core: Core, job: number, layouts: LayoutCache) {
    this.#node = node;
    this.#bindings = bindings;
    this.#asyncPace = new Pace(bindings.pace.nowMs);
    this.#core = core;
    this.#layouts = layouts;
    const { op } = node;
    if (op.kind !== 'reduce' && op.kind !== 'aggregate') throw new TypeError(`operator '${op.kind}' keeps no keyed state`);
    this.#isTolerant = isTolerant(node.operator.transformation.errorPolicy);
    this.#emitUpdates = op.emit === 'update';
    this.#everyMs = typeof op.emit === 'object' ? op.emit.everyMs : undefined;
    this.#aggregators = op.kind === 'aggregate' ? Object.entries(op.spec) : undefined;
    this.#checked = (this.#aggregators ?? []).map(([, aggregator]) => aggregator).filter(isAddedLast);
    for (let n = 0; n < (this.#aggregators?.length ?? 1); n++) this.#accumulators.push(new SlotColumn());
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
    const pace = new Pace(this.#bindings.pace.nowMs);
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
    const startMs = this.#bindings.pace.nowMs();
    const worked = this.#accumulate(batch, Math.min(batch.slots.length, from + this.#workQuota.rows));
    if (worked !== undefined) return worked.then(() => this.#leaveBatch(batch));
    this.#workQuota.measured(this.#bindings.pace.nowMs() - startMs, batch.next - from);
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
      if (slot >= this.#keyOfSlot.length) this.#keyOfSlot.set(slot, keys[n]);
      const isNew = this.#filled.get(slot) !== true;
      if (reduce !== undefined && isNew) first.set(slot, records[n]);
      else {
        let added: unknown;
        try {
          added = reduce === undefined ? this.#parts(slot, isNew, records[n]) : reduce(first.get(slot), records[n], keys[n]);
        } catch (error) {
          const recovered = this.#recover(error, batch, n, 'threw');
          if (recovered !== undefined) return this.#goOn(recovered, batch, end);
          continue;
        }
        if (isThenable(added)) return this.#goOn(this.#awaitAdded(added, batch, n), batch, end);
        this.#commit(slot, isNew, added, records[n]);
      }
      this.#filled.set(slot, true);
      this.#added(slot);
    }
    return undefined;
  }

  /** The next rows come when what the row at hand waits for has settled. */
  async #goOn(waiting: Promise<void>, batch: SlotBatch, end: number): Promise<void> {
    await waiting;
    this.#bindings.control.checkNotOver();
    if (this.#asyncPace.isTurnDue()) await this.#bindings.turn();
    await this.#accumulate(batch, end);
  }

  async #awaitAdded(adding: PromiseLike<unknown>, batch: SlotBatch, n: number): Promise<void> {
    let added: unknown;
    try {
      added = await adding;
    } catch (error) {
      const recovered = this.#recover(error, batch, n, 'rejected');
      if (recovered !== undefined) await recovered;
      return;
    }
    this.#bindings.control.checkNotOver();
    this.#finish(batch.slots[n]!, added, batch.records[n]);
  }

  #finish(slot: number, added: unknown, record: unknown): void {
    this.#commit(slot, this.#filled.get(slot) !== true, added, record);
    this.#filled.set(slot, true);
    this.#added(slot);
  }

  /** What the error policy says of a row: the accumulators are as they were before it. */
  #recover(error: unknown, { slots, keys, records }: SlotBatch, n: number, how: FailureKind): Pushed {
    const slot = slots[n]!;
    return this.#bindings.linked[this.#node.id]!.recovery.recover(error, records[n], keys[n], how, async () => {
      const reduce = this.#aggregators === undefined ? this.#reducer() : undefined;
      const added = await (reduce === undefined ? this.#parts(slot, this.#filled.get(slot) !== true, records[n]) : reduce(this.#accumulators[0]!.get(slot), records[n], keys[n]));
      return () => {
        this.#finish(slot, added, records[n]);
        return undefined;
      };
    });
  }

  #reducer(): (acc: unknown, record: unknown, key: unknown) => unknown {
    const { functions, contexts } = this.#bindings;
    const fn = functions[this.#node.id] as ((a: unknown, b: unknown) => unknown) | { execute(a: unknown, b: unknown): unknown };
    const context = contexts[this.#node.id];
    if (typeof fn === 'function') return (acc, record) => fn(acc, record);
    return (acc, record, key) => {
      if (context !== undefined) context.key = key;
      return fn.execute(acc, record);
    };
  }

  /** For each aggregator its input, or its new accumulator; a promise where one of these is. Nothing is changed yet: all of it may fail. */
  #parts(slot: number, isNew: boolean, record: unknown): unknown[] | Promise<unknown[]> {
    let isAsync = false;
    if (this.#isTolerant) checkAll(this.#checked, record);
    const parts = this.#aggregators!.map(([name, aggregator], n) => {
      if (this.#isTolerant && isAddedLast(aggregator)) return undefined;
      if (isBuiltinAggregator(aggregator)) return this.#input(aggregator, n, record);
      const added = aggregator.add(isNew ? settledPart(aggregator.init(), 'init', name) : this.#accumulators[n]!.get(slot), record);
      isAsync ||= isThenable(added);
      return added;
    });
    return isAsync ? Promise.all(parts) : parts;
  }

  #commit(slot: number, isNew: boolean, added: unknown, record: unknown): void {
    if (this.#aggregators === undefined) {
      this.#accumulators[0]!.set(slot, added);
      return;
    }
    this.#aggregators.forEach(([name, aggregator], n) => {
      const column = this.#accumulators[n]!;
      const part = (added as readonly unknown[])[n];
      if (this.#isTolerant && isAddedLast(aggregator)) column.set(slot, aggregator.add(isNew ? settledPart(aggregator.init(), 'init', name) : column.get(slot), record));
      else if (!isBuiltinAggregator(aggregator)) column.set(slot, part);
      else {
        if (isNew) column.set(slot, { count: 0, value: 0 });
        addBuiltin(aggregator.name, column.get(slot) as BuiltinState, part);
      }
    });
  }

  #input(aggregator: BuiltinAggregator<never, unknown>, n: number, record: unknown): unknown {
    if (aggregator.input === undefined) return undefined;
    const input = readAggregateInput(aggregator, record);
    if (typeof input === 'number' || input === undefined || input === null || !takesNumbers(aggregator)) return input;
    return this.#bindings.control.badInput(this.#node.id, n, input, record);
  }

  #added(slot: number): void {
    this.#sinceSaved.add(slot);
    if (this.#emitUpdates) this.#results.push(this.#result(slot));
    else if (this.#everyMs !== undefined && this.#isChanged.get(slot) !== true) {
      this.#isChanged.set(slot, true);
      this.#changed.push(slot);
    }
  }

  #result(slot: number): unknown {
    if (this.#aggregators === undefined) return this.#accumulators[0]!.get(slot);
    const result: Record<string, unknown> = { key: this.#keyOfSlot.get(slot) };
    try {
      this.#aggregators.forEach(([name, aggregator], n) => {
        const state = this.#accumulators[n]!.get(slot);
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
    if (this.#nextDue === this.#due.length) {
      if (this.#changed.length === 0 || nowMs < this.#nextEmitMs) return;
      this.#nextEmitMs = nowMs + this.#everyMs;
      this.#due = this.#changed;
      this.#nextDue = 0;
      this.#changed = new SlotColumn();
    }
    this.#giveResults(() => this.#takeDue());
  }

  #takeDue(): number | undefined {
    if (this.#nextDue === this.#due.length) return undefined;
    const slot = this.#due.get(this.#nextDue++)!;
    this.#isChanged.set(slot, false);
    this.#sinceSaved.add(slot);
    return slot;
  }

  /** Makes the results of some slots: as many as take about a moment. */
  #giveResults(nextSlot: () => number | undefined): void {
    const quota = this.#resultQuota;
    const startMs = this.#bindings.pace.nowMs();
    let rows = 0;
    for (; rows < Math.min(RESULT_ROWS, quota.rows); rows++) {
      const slot = nextSlot();
      if (slot === undefined) break;
      this.#results.push(this.#result(slot));
    }
    quota.measured(this.#bindings.pace.nowMs() - startMs, rows);
  }

  dueInMs(nowMs: number): number | undefined {
    if (this.#nextDue < this.#due.length) return 0;
    return this.#everyMs === undefined || this.#changed.length === 0 ? undefined : Math.max(0, this.#nextEmitMs - nowMs);
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
    else this.#giveResults(() => this.#nextFilled());
    return this.takeResults();
  }

  #nextFilled(): number | undefined {
    while (this.#nextSlot < this.#keyOfSlot.length) {
      const slot = this.#nextSlot++;
      if (this.#filled.get(slot) === true) return slot;
    }
    return undefined;
  }

  stateParts(owner: PartOwner): StatePart[] {
    return [
      keyedValuePart<SavedKey>(owner, {
        name: 'state',
        describe: () => 'an accumulator',
        save: () => this.#saved(),
        changes: () => this.#sinceSaved.take(this.#keyOfSlot.length, (slot) => this.#savedKey(slot)),
        restore: (entries) => this.#restore([...entries]),
      }),
    ];
  }

  *#saved(): Generator<readonly [unknown, SavedKey]> {
    this.#sinceSaved.restart();
    for (let slot = 0; slot < this.#keyOfSlot.length; slot++) if (this.#filled.get(slot) === true) yield this.#savedKey(slot);
  }

  #savedKey(slot: number): readonly [unknown, SavedKey] {
    return [this.#keyOfSlot.get(slot), { slot, accumulators: this.#accumulators.map((column) => column.get(slot)), isChanged: this.#isChanged.get(slot) === true }];
  }

  #restore(entries: readonly (readonly [key: unknown, saved: SavedKey])[]): void {
    const sorted = entries.toSorted(([, a], [, b]) => a.slot - b.slot);
    forKeys(this.#layouts.registry, sorted.map(([key]) => key), (image, rows, from) => {
      if (rows > this.#slots.length) this.#slots = new Int32Array(rows * 2);
      this.#core.slotsFor(this.#handle, image, this.#slots);
      for (let n = 0; n < rows; n++) this.#restoreKey(this.#slots[n]!, ...sorted[from + n]!);
    });
  }

  #restoreKey(slot: number, key: unknown, { accumulators, isChanged }: SavedKey): void {
    this.#keyOfSlot.set(slot, key);
    this.#accumulators.forEach((column, n) => column.set(slot, accumulators[n]));
    this.#filled.set(slot, true);
    if (!isChanged || this.#everyMs === undefined) return;
    this.#isChanged.set(slot, true);
    this.#changed.push(slot);
  }

  close(): void {
    this.#core.stateDrop(this.#handle);
  }
}
