import { type StageNode, failingOperator } from '../../compiler/physical-plan.ts';
import { leaf } from '../../compiler/layout/layout.ts';
import type { KeyedProcessFunction } from '../../functions/keyed-process-function.ts';
import { BROADCAST_INPUT } from '../../transformations/broadcast-process-transformation.ts';
import { isTolerant } from '../../transformations/error-policy.ts';
import type { StatePlace } from '../../transformations/state-settings.ts';
import type { PartOwner } from '../checkpoint/part-owner.ts';
import type { StatePart } from '../checkpoint/state-part.ts';
import { keyedStatesPart } from '../checkpoint/states-part.ts';
import { keyedValuePart, ownValuePart } from '../checkpoint/value-parts.ts';
import type { LayoutCache } from '../codec/batch-reader.ts';
import { BatchWriter } from '../codec/batch-writer.ts';
import { imageTimes } from '../codec/image-times.ts';
import type { StateAnswer } from '../isolate/state-reads.ts';
import type { Core } from '../native/core.ts';
import type { KeyBatch, KeyPlaces } from '../state/key-places.ts';
import type { KeyedStateStore } from '../state/keyed-state-store.ts';
import { makeKeyPlaces } from '../state/make-key-places.ts';
import { type BroadcastRow, BroadcastRows } from './broadcast-rows.ts';
import { FailedTimer } from './failed-timer.ts';
import { isThenable } from './is-thenable.ts';
import { keyIdentity, keyOfIdentity } from './key-identity.ts';
import type { KeyedOperator, KeyedResults } from './keyed-operator.ts';
import type { Pushed } from './linked-node.ts';
import { OrderedResults } from './ordered-results.ts';
import { processHandlers } from './process-handlers.ts';
import { type DueTimer, ProcessTimers, type SavedProgress, type SavedTimers } from './process-timers.ts';
import { Quota } from './quota.ts';
import { type FailureKind, attempted } from './recovery.ts';
import type { StageBindings } from './stage-bindings.ts';
import { NO_RECORD } from './stage-control.ts';
import type { StreamTime, TimeConsumer } from './stage-times.ts';
import { withTime } from './with-time.ts';

/** Broadcast records that wait for a batch to close; so many close it. */
const MOST_BROADCASTS = 1024;

/** A closed batch of rows, from `next` on not yet given to the function. */
interface Batch {
  readonly at: KeyBatch;
  readonly rows: number;
  readonly keys: readonly unknown[];
  readonly records: readonly unknown[];
  /** Of each row the number of its input, where there are several. */
  readonly inputs: readonly number[] | undefined;
  /** Those that have not been given to the function. */
  readonly broadcasts: BroadcastRow[];
  readonly times: Float64Array | undefined;
  next: number;
}

/** One call of the function: for a record, or for a timer. */
interface Call {
  /** -1 for a broadcast record, which has no key. */
  readonly slot: number;
  readonly input: number;
  readonly key: unknown;
  /** Event time of what it gives. */
  readonly time: number | undefined;
  readonly record: unknown;
  /** Where a record came from. */
  readonly batch: Batch | undefined;
  readonly row: number;
  readonly timer: DueTimer | undefined;
}

/**
 * The `KeyedProcessFunction` of one task: calls it for each record and timer, one at a time, with the state of its key. Records, watermarks,
 * timers and results keep their order, wherever batches are cut.
 */
export class KeyedProcessOperator implements KeyedOperator, TimeConsumer {
  keys: unknown[] = [];
  records: unknown[] = [];
  /** Of each record the number of its input, where all of several have keys. */
  inputs: number[] = [];
  readonly #broadcasts = new BroadcastRows();
  /** The method for the records of each input. */
  readonly #handlers: readonly ((record: unknown) => unknown)[];
  readonly #hasInputs: boolean;
  readonly writer: BatchWriter;
  readonly #state: KeyedStateStore;
  readonly #places: KeyPlaces;
  readonly #node: StageNode;
  readonly #bindings: StageBindings;
  readonly #layouts: LayoutCache;
  readonly #timed: boolean;
  readonly #timers: ProcessTimers;
  readonly #quota = new Quota();
  readonly #queue: (Batch | StreamTime)[] = [];
  readonly #results: OrderedResults;
  #batch: Batch | undefined;
  /** To be said below when all timers that are due have fired. */
  #behind: StreamTime | undefined;
  /** Owners of timers by identity of the key, of those that have changed since they were handed over last; none before the first time. */
  #timerChanges: Map<unknown, number> | undefined;
  /** Rows since memory was last given back. */
  #rowsSinceRelease = 0;

  constructor(node: StageNode, bindings: StageBindings, core: Core, job: number, layouts: LayoutCache, statePlace: StatePlace) {
    const { op } = node;
    if (op.kind !== 'keyedProcess') throw new TypeError(`operator '${op.kind}' is no function with keyed state`);
    this.#node = node;
    this.#bindings = bindings;
    this.#layouts = layouts;
    this.#timed = op.time === 'event';
    this.#results = new OrderedResults(this.#timed);
    const { name } = failingOperator(node);
    const { clock } = bindings;
    this.#timers = new ProcessTimers({
      core,
      job,
      operator: name,
      declaredAt: node.operator.transformation.declaredAt,
      mixedTime: node.operator.mixedTime,
      clock,
      isTimed: this.#timed,
      checkInHand: () => void this.#state.slot(),
    });
    this.#places = makeKeyPlaces(
      statePlace,
      node.operator.id,
      { core, job, registry: layouts.registry, withoutTimers: (owners) => this.#timers.without(owners), keyInHand: () => bindings.contexts[node.id]?.key, declaredAt: node.operator.transformation.declaredAt },
      { operator: name, clock, isTolerant: isTolerant(node.operator.transformation.errorPolicy) },
    );
    this.#state = this.#places.state;
    this.#handlers = processHandlers(node, bindings.functions[node.id]);
    this.#hasInputs = op.coInput !== undefined && op.coInput.takes === undefined;
    const context = bindings.contexts[node.id];
    if (context !== undefined) context.keyed = { state: this.#state, timers: this.#timers.requests };
    this.writer = new BatchWriter({
      registry: layouts.registry,
      keyed: true,
      timed: this.#timed,
      encoding: 'columns',
      row: leaf('nil'),
      deliver: (image, rows) => this.#deliver(image, rows),
    });
  }

  #deliver(image: Buffer, rows: number): void {
    const whole = this.records.length === rows;
    const keys = whole ? this.keys : this.keys.slice(0, rows);
    const records = whole ? this.records : this.records.slice(0, rows);
    this.keys = whole ? [] : this.keys.slice(rows);
    this.records = whole ? [] : this.records.slice(rows);
    const times = this.#timed ? imageTimes(image, this.#layouts).slice() : undefined;
    const inputs = !this.#hasInputs ? undefined : whole ? this.inputs : this.inputs.slice(0, rows);
    if (inputs !== undefined) this.inputs = whole ? [] : this.inputs.slice(rows);
    this.#queue.push({ at: this.#places.admit(image, keys, !this.hasWork), rows, keys, records, inputs, broadcasts: this.#broadcasts.take(rows), times, next: 0 });
    this.#bindings.control.stop = true;
  }

  /** Takes a record of the broadcast side; generated code calls it. */
  addBroadcast(record: unknown, time: number | undefined): void {
    this.#broadcasts.add({ before: this.records.length, record, time: this.#timed ? time : undefined });
    if (this.#broadcasts.size >= MOST_BROADCASTS) this.flush();
  }

  timeChanged(time: StreamTime): void {
    this.flush();
    this.#queue.push(time);
    this.#bindings.control.stop = true;
  }

  get hasWork(): boolean {
    return this.#queue.length > 0 || this.#results.isWaiting || this.#batch !== undefined || this.#timers.mayBeDue || this.#behind !== undefined;
  }

  work(): Pushed {
    if (this.#results.isWaiting) return undefined;
    this.#timers.lookAtClock();
    const quota = this.#quota.rows;
    const startMs = this.#bindings.pace.nowMs();
    let steps = 0;
    while (steps < quota && !this.#results.isWaiting && !this.#results.isFull) {
      const stepped = this.#step();
      if (stepped === 'none') break;
      steps++;
      if (stepped !== undefined) {
        return stepped.then(() => {
          this.#bindings.control.checkNotOver();
          this.#results.close();
        });
      }
    }
    this.#quota.measured(this.#bindings.pace.nowMs() - startMs, steps);
    this.#results.close();
    return undefined;
  }

  /** Does the next thing, if there is any. */
  #step(): Pushed | 'none' {
    if (this.#timers.mayBeDue) {
      const due = this.#timers.takeDue();
      if (due !== undefined) return this.#fire(due);
    }
    if (this.#behind !== undefined) {
      this.#results.addTime(this.#behind);
      this.#behind = undefined;
      this.#release();
      return undefined;
    }
    const batch = this.#batch;
    if (batch !== undefined) {
      const [broadcast] = batch.broadcasts;
      if (broadcast !== undefined && broadcast.before <= batch.next) {
        batch.broadcasts.shift();
        return this.#call({ slot: -1, input: BROADCAST_INPUT, key: undefined, time: broadcast.time, record: broadcast.record, batch, row: -1, timer: undefined });
      }
      if (batch.next < batch.rows) return this.#call(this.#row(batch));
      this.#batch = undefined;
      this.#release();
      return undefined;
    }
    const next = this.#queue.shift();
    if (next === undefined) {
      this.#release();
      return 'none';
    }
    if ('watermark' in next) {
      this.#timers.advance(next.watermark);
      this.#behind = next;
      return undefined;
    }
    this.#batch = next;
    this.#rowsSinceRelease += next.rows;
    return undefined;
  }

  #row(batch: Batch): Call {
    const n = batch.next++;
    return { slot: this.#places.slotOf(batch.at, n), input: batch.inputs?.[n] ?? 0, key: batch.keys[n], time: batch.times?.[n], record: batch.records[n], batch, row: n, timer: undefined };
  }

  #fire(timer: DueTimer): Pushed {
    const { kind, owner } = timer;
    const slot = this.#places.slotOfOwner(owner, this.#timers.queueOf(kind));
    return this.#call({ slot, input: 0, key: this.#places.keyOf(owner), time: this.#timers.resultTime(timer), record: NO_RECORD, batch: undefined, row: -1, timer });
  }

  #call(call: Call): Pushed {
    let result: unknown;
    try {
      result = this.#begin(call);
    } catch (error) {
      return this.#failed(error, call, 'threw');
    }
    return isThenable(result) ? this.#await(result, call) : this.#commit(call);
  }

  async #await(result: PromiseLike<unknown>, call: Call): Promise<void> {
    try {
      await result;
    } catch (error) {
      const recovered = this.#failed(error, call, 'rejected');
      if (recovered !== undefined) await recovered;
      return;
    }
    this.#bindings.control.checkNotOver();
    const sent = this.#commit(call);
    if (sent !== undefined) await sent;
  }

  /** Calls the function with the key in hand. */
  #begin({ slot, input, key, time, record, timer }: Call): unknown {
    const { functions, contexts } = this.#bindings;
    const fn = functions[this.#node.id] as KeyedProcessFunction<unknown, unknown, unknown>;
    const context = contexts[this.#node.id]!;
    context.key = key;
    context.timestamp = timer?.kind === 'processing' ? undefined : time;
    this.#state.begin(slot);
    context.broadcast?.begin(slot < 0);
    return timer === undefined ? this.#handlers[input]!(record) : fn.onTimer(timer.time, timer.kind);
  }

  /** What the call has written stays, and what it has given goes on. */
  #commit({ slot, key, time, batch, row, timer }: Call): Pushed {
    const { collected, outputs, linked, control } = this.#bindings;
    const { id } = this.#node;
    this.#state.commit();
    this.#bindings.contexts[id]!.broadcast?.begin(false);
    if (slot >= 0) this.#places.touched(slot);
    if (timer !== undefined) this.#timersChanged(timer.owner, key);
    // At the end all timers fire: those that they register would go on for ever, each registering the next one.
    const { onTimer } = this.#bindings;
    const operator = this.#node.operator.id;
    if (timer !== undefined) onTimer?.({ operator, ...timer, key, change: 'fired' });
    for (const request of this.#timers.requests.takeRequests()) {
      onTimer?.({ operator, kind: request.kind, time: request.time, key, change: request.isCancelled ? 'cancelled' : 'registered' });
      const queue = this.#timers.queueOf(request.kind);
      const owner = timer?.owner ?? this.#places.ownerOf(batch!.at, row);
      if (request.isCancelled) {
        queue.cancel(owner, request.time);
        this.#timersChanged(owner, key);
      } else if (timer !== undefined && this.#timers.isOver) this.#bindings.contexts[id]!.metrics.counter('timers after the end').inc();
      else {
        queue.register(owner, request.time);
        this.#timerChanges?.set(keyIdentity(key), owner);
      }
    }
    this.#timers.registered();
    const own = collected[id]!;
    for (const result of own) this.#results.add(result, key, time);
    own.length = 0;
    if ((outputs[id]?.length ?? 0) === 0) return undefined;
    return withTime(control, time, () => linked[id]!.sendOutputs());
  }

  #failed(error: unknown, call: Call, how: FailureKind): Pushed {
    this.#forget();
    const { control, linked } = this.#bindings;
    const { id } = this.#node;
    const { timer } = call;
    // It has fired, and may have been the last that held its key.
    if (timer !== undefined) this.#timersChanged(timer.owner, call.key);
    // An object of its state may have been changed where it is.
    if (call.slot >= 0) this.#places.touched(call.slot);
    const record = timer === undefined ? call.record : new FailedTimer(timer.kind, timer.time);
    return withTime(control, call.time, () =>
      linked[id]!.recovery.recover(error, record, call.key, how, async () => {
        try {
          await attempted(() => this.#begin(call));
        } catch (again) {
          this.#forget();
          throw again;
        }
        return () => this.#commit(call);
      }),
    );
  }

  /** Nothing of a failed attempt stays. */
  #forget(): void {
    const { collected, outputs } = this.#bindings;
    this.#state.rollback();
    this.#bindings.contexts[this.#node.id]!.broadcast?.rollback();
    this.#timers.requests.takeRequests();
    collected[this.#node.id]!.length = 0;
    const sent = outputs[this.#node.id];
    if (sent !== undefined) sent.length = 0;
  }

  takeResults(): KeyedResults | undefined {
    return this.#results.take(({ watermark, isIdle }) => this.#bindings.times?.say(this.#node.id, watermark, isIdle));
  }

  /** Gives back the memory of what has expired, and of keys that hold nothing any more. */
  #release(): void {
    this.#timers.flush();
    this.#places.release(this.#rowsSinceRelease);
    this.#rowsSinceRelease = 0;
    const { metrics } = this.#bindings.contexts[this.#node.id]!;
    this.#places.report(metrics);
    metrics.gauge('timers held').set(this.#timers.size);
  }

  /** States and timers by key, and how far event time is. */
  stateParts(owner: PartOwner): StatePart[] {
    return [
      ownValuePart<SavedProgress>(owner, {
        name: 'time',
        describe: () => 'the watermark',
        save: () => this.#timers.progress,
        restore: (saved) => this.#timers.restoreProgress(saved.map(({ value }) => value)),
      }),
      keyedStatesPart(owner, {
        save: (to) => this.#places.save(to, owner),
        changes: (to) => this.#places.saveChanges(to),
        restore: (entries) => this.#places.restore(entries),
      }),
      keyedValuePart<SavedTimers>(owner, {
        name: 'timers',
        describe: () => 'the timers',
        save: () => this.#savedTimers(),
        changes: () => this.#changedTimers(),
        restore: (entries) => {
          const all = [...entries];
          const owners = this.#places.ownersOf(all.map(([key]) => key));
          this.#timers.restore(all.map(([, timers], n) => ({ owner: owners[n]!, timers })));
        },
      }),
    ];
  }

  #savedTimers(): Iterable<readonly [unknown, SavedTimers]> {
    this.#timerChanges = new Map();
    return [...this.#timers.save()].map(([owner, timers]) => [this.#places.keyOf(owner), timers]);
  }

  #changedTimers(): Iterable<readonly [unknown, SavedTimers | undefined]> | undefined {
    const changes = this.#timerChanges;
    if (changes === undefined || changes.size > this.#timers.size / 2) return undefined;
    this.#timerChanges = new Map();
    const timers = changes.size === 0 ? undefined : this.#timers.save(new Set(changes.values()));
    return [...changes].map(([identity, owner]) => {
      // An owner may belong to another key since.
      const isIts = [keyIdentity(this.#places.keyOf(owner))].includes(identity);
      return [keyOfIdentity(identity), isIts ? timers?.get(owner) : undefined];
    });
  }

  /** Timers of a key were registered or cancelled, or have fired. */
  #timersChanged(owner: number, key: unknown): void {
    this.#places.timersChanged(owner);
    this.#timerChanges?.set(keyIdentity(key), owner);
  }

  /** What a state holds for a key now, for readers outside of the job's functions. */
  readState(name: string, key: unknown): StateAnswer {
    if (this.#state.named(name) === undefined) return { kind: 'undeclared', names: this.#state.names };
    const value = this.#places.snapshot(name, key);
    return value === undefined ? { kind: 'none' } : { kind: 'value', value };
  }

  flush(): void {
    this.writer.flush();
    if (this.#broadcasts.size === 0) return;
    this.#queue.push({ at: { image: undefined, keys: [], slots: new Int32Array(0), owners: undefined }, rows: 0, keys: [], records: [], inputs: undefined, broadcasts: this.#broadcasts.take(0), times: undefined, next: 0 });
    this.#bindings.control.stop = true;
  }

  emitChanged(): void {
    this.#timers.lookAtClock();
  }

  dueInMs(): number | undefined {
    return this.#timers.dueInMs();
  }

  /** The input has ended: all timers are due. Whether that was not known yet. */
  finish(): boolean {
    return this.#timers.end();
  }

  drain(): undefined {
    return undefined;
  }

  push(value: unknown, key: unknown, input = 0): Pushed {
    const { control } = this.#bindings;
    const stopped = control.stop;
    try {
      if (input === BROADCAST_INPUT && !this.#hasInputs) {
        this.addBroadcast(value, control.time);
        return undefined;
      }
      if (this.#hasInputs) this.inputs.push(input);
      this.keys.push(key);
      this.records.push(value);
      this.writer.append(null, key, control.time);
    } catch (error) {
      throw control.failed(error, this.#node.id, [value], 0);
    }
    if (!this.hasWork) return undefined;
    control.stop = stopped;
    return this.#workOff();
  }

  /** The linked form: works on all there is, and gives results below at once. */
  async #workOff(): Promise<void> {
    const { counts, linked, control } = this.#bindings;
    const { id } = this.#node;
    while (this.hasWork) {
      const worked = this.work();
      if (worked !== undefined) await worked;
      for (let results = this.takeResults(); results?.kind === 'records'; results = this.takeResults()) {
        for (const [n, record] of results.records.entries()) {
          counts[id]!++;
          const pushed = withTime(control, results.times?.[n], () => linked[id]!.emit(record, results.keys?.[n]));
          if (pushed !== undefined) await pushed;
        }
      }
      control.checkNotOver();
    }
  }

  close(): void {
    this.#places.close();
    this.#timers.close();
  }
}
