import { type StageNode, failingOperator } from '../../compiler/physical-plan.ts';
import { leaf } from '../../compiler/layout/layout.ts';
import type { KeyedProcessFunction } from '../../functions/keyed-process-function.ts';
import type { TimerKind } from '../../functions/state/timers.ts';
import { isTolerant } from '../../transformations/error-policy.ts';
import type { LayoutCache } from '../codec/batch-reader.ts';
import { BatchWriter } from '../codec/batch-writer.ts';
import { imageTimes } from '../codec/image-times.ts';
import type { StateAnswer } from '../isolate/state-reads.ts';
import type { Core } from '../native/core.ts';
import { KeyTimers } from '../state/key-timers.ts';
import { KeyedStateStore } from '../state/keyed-state-store.ts';
import { TimerQueue } from '../state/timer-queue.ts';
import { isThenable } from './is-thenable.ts';
import { type KeyedOperator, type KeyedResults, RESULT_ROWS } from './keyed-operator.ts';
import { KeySlots } from './key-slots.ts';
import type { Pushed } from './linked-node.ts';
import { justBefore } from './just-before.ts';
import { Quota } from './quota.ts';
import { type FailureKind, attempted } from './recovery.ts';
import type { StageBindings } from './stage-bindings.ts';
import { NO_RECORD } from './stage-control.ts';
import type { StreamTime, TimeConsumer } from './stage-times.ts';
import { withTime } from './with-time.ts';

/** `setTimeout` takes no more. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** A closed batch of rows, from `next` on not yet given to the function. */
interface Batch {
  /** A copy, where others may give slots back before it is its turn. */
  readonly image: Buffer | undefined;
  slots: Int32Array | undefined;
  readonly rows: number;
  readonly keys: readonly unknown[];
  readonly records: readonly unknown[];
  readonly times: Float64Array | undefined;
  next: number;
}

/** One call of the function: for a record, or for a timer. */
interface Call {
  readonly slot: number;
  readonly key: unknown;
  /** Event time of what it gives. */
  readonly time: number | undefined;
  readonly record: unknown;
  readonly timer: { readonly kind: TimerKind; readonly time: number } | undefined;
}

/**
 * The `KeyedProcessFunction` of one task: calls it for each record and timer, one at a time, with the state of its key. Records, watermarks,
 * timers and results keep their order, wherever batches are cut.
 */
export class KeyedProcessOperator implements KeyedOperator, TimeConsumer {
  keys: unknown[] = [];
  records: unknown[] = [];
  readonly writer: BatchWriter;
  readonly #state: KeyedStateStore;
  readonly #slots: KeySlots;
  readonly #node: StageNode;
  readonly #bindings: StageBindings;
  readonly #layouts: LayoutCache;
  readonly #timed: boolean;
  readonly #timers: KeyTimers;
  readonly #event: TimerQueue;
  readonly #processing: TimerQueue;
  readonly #quota = new Quota();
  readonly #queue: (Batch | StreamTime)[] = [];
  /** What is to go below, in this order. */
  readonly #out: (KeyedResults | { readonly kind: 'time'; readonly time: StreamTime })[] = [];
  #results: unknown[] = [];
  #resultKeys: unknown[] = [];
  #resultTimes: number[] = [];
  #batch: Batch | undefined;
  /** A timer may be due. */
  #mayBeDue = false;
  /** To be said below when all timers that are due have fired. */
  #behind: StreamTime | undefined;
  #watermark = Number.NEGATIVE_INFINITY;
  /** The last watermark that was not the end. */
  #moment = Number.NEGATIVE_INFINITY;
  #finished = false;
  /** Rows since memory was last given back. */
  #rowsSinceRelease = 0;

  constructor(node: StageNode, bindings: StageBindings, core: Core, job: number, layouts: LayoutCache) {
    const { op } = node;
    if (op.kind !== 'keyedProcess') throw new TypeError(`operator '${op.kind}' is no function with keyed state`);
    this.#node = node;
    this.#bindings = bindings;
    this.#layouts = layouts;
    this.#timed = op.time === 'event';
    const { name } = failingOperator(node);
    this.#state = new KeyedStateStore({ operator: name, clock: bindings.clock, isTolerant: isTolerant(node.operator.transformation.errorPolicy) });
    this.#slots = new KeySlots(core, job, layouts.registry);
    this.#event = new TimerQueue(core, job);
    this.#processing = new TimerQueue(core, job);
    const watermark = (): number => this.#watermark;
    this.#timers = new KeyTimers({
      operator: name,
      hasEventTime: this.#timed,
      get watermark() {
        return watermark();
      },
      checkInHand: () => void this.#state.slot(),
    });
    const context = bindings.contexts[node.id];
    if (context !== undefined) context.keyed = { state: this.#state, timers: this.#timers };
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
    const batch = { rows, keys, records, times, next: 0 };
    if (this.hasWork) {
      const copy = Buffer.from(new ArrayBuffer(image.length));
      image.copy(copy);
      this.#queue.push({ ...batch, image: copy, slots: undefined });
    } else this.#queue.push({ ...batch, image: undefined, slots: this.#slots.of(image, rows, keys) });
    this.#bindings.control.stop = true;
  }

  timeChanged(time: StreamTime): void {
    this.writer.flush();
    this.#queue.push(time);
    this.#bindings.control.stop = true;
  }

  get hasWork(): boolean {
    return this.#queue.length > 0 || this.#out.length > 0 || this.#batch !== undefined || this.#mayBeDue || this.#behind !== undefined;
  }

  work(): Pushed {
    if (this.#out.length > 0) return undefined;
    this.#lookAtClock();
    const quota = this.#quota.rows;
    const startMs = performance.now();
    let steps = 0;
    while (steps < quota && this.#out.length === 0 && this.#results.length < RESULT_ROWS) {
      const stepped = this.#step();
      if (stepped === 'none') break;
      steps++;
      if (stepped !== undefined) {
        return stepped.then(() => {
          this.#bindings.control.checkNotOver();
          this.#outResults();
        });
      }
    }
    this.#quota.measured(performance.now() - startMs, steps);
    this.#outResults();
    return undefined;
  }

  /** Does the next thing, if there is any. */
  #step(): Pushed | 'none' {
    if (this.#mayBeDue) {
      const fired = this.#fireNext();
      if (fired !== 'none') return fired;
      this.#mayBeDue = false;
    }
    if (this.#behind !== undefined) {
      this.#outResults();
      this.#out.push({ kind: 'time', time: this.#behind });
      this.#behind = undefined;
      this.#release();
      return undefined;
    }
    const batch = this.#batch;
    if (batch !== undefined) {
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
      this.#advance(next.watermark);
      this.#behind = next;
      this.#mayBeDue = true;
      return undefined;
    }
    next.slots ??= this.#slots.of(next.image!, next.rows, next.keys);
    this.#batch = next;
    this.#rowsSinceRelease += next.rows;
    return undefined;
  }

  /** The end of event time is that of the input: what timers of the clock give must come before it is said below. */
  #advance(watermark: number): void {
    this.#watermark = watermark;
    if (watermark === Number.POSITIVE_INFINITY) this.#finished = true;
    else this.#moment = watermark;
  }

  #row(batch: Batch): Call {
    const n = batch.next++;
    return { slot: batch.slots![n]!, key: batch.keys[n], time: batch.times?.[n], record: batch.records[n], timer: undefined };
  }

  /** Fires the next timer that is due: of event time first, then of the clock. */
  #fireNext(): Pushed | 'none' {
    const due = this.#event.take(justBefore(this.#watermark));
    if (due !== undefined) return this.#call({ slot: due.slot, key: this.#slots.keyOf(due.slot), time: due.time, record: NO_RECORD, timer: { kind: 'event', time: due.time } });
    const dueByClock = this.#processing.take(this.#finished ? Number.POSITIVE_INFINITY : this.#bindings.clock.now());
    if (dueByClock === undefined) return 'none';
    const { slot, time } = dueByClock;
    return this.#call({ slot, key: this.#slots.keyOf(slot), time: this.#timed ? this.#momentOfClock() : undefined, record: NO_RECORD, timer: { kind: 'processing', time } });
  }

  /** A timer of the clock is of no record: what it gives has the first moment that is not late. */
  #momentOfClock(): number {
    return Number.isFinite(this.#moment) ? this.#moment : this.#bindings.clock.now();
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
  #begin({ slot, key, time, record, timer }: Call): unknown {
    const { functions, contexts } = this.#bindings;
    const fn = functions[this.#node.id] as KeyedProcessFunction<unknown, unknown, unknown>;
    const context = contexts[this.#node.id]!;
    context.key = key;
    context.timestamp = timer?.kind === 'processing' ? undefined : time;
    this.#state.begin(slot);
    return timer === undefined ? fn.execute(record) : fn.onTimer(timer.time, timer.kind);
  }

  /** What the call has written stays, and what it has given goes on. */
  #commit({ slot, key, time, timer }: Call): Pushed {
    const { collected, outputs, linked, control } = this.#bindings;
    const { id } = this.#node;
    this.#state.commit();
    this.#slots.touched(slot);
    // At the end all timers fire: those that they register would go on for ever, each registering the next one.
    for (const request of this.#timers.takeRequests()) {
      const queue = request.kind === 'event' ? this.#event : this.#processing;
      if (request.isCancelled) queue.cancel(slot, request.time);
      else if (timer !== undefined && this.#finished) this.#bindings.contexts[id]!.metrics.counter('timers after the end').inc();
      else queue.register(slot, request.time);
    }
    if (this.#event.earliestMs < this.#watermark) this.#mayBeDue = true;
    if (this.#processing.earliestMs !== Number.POSITIVE_INFINITY) this.#lookAtClock();
    const own = collected[id]!;
    for (const result of own) {
      this.#results.push(result);
      this.#resultKeys.push(key);
      if (time !== undefined) this.#resultTimes.push(time);
    }
    own.length = 0;
    if ((outputs[id]?.length ?? 0) === 0) return undefined;
    return withTime(control, time, () => linked[id]!.sendOutputs());
  }

  #failed(error: unknown, call: Call, how: FailureKind): Pushed {
    this.#forget();
    const { control, linked } = this.#bindings;
    const { id } = this.#node;
    if (call.timer !== undefined) throw how === 'rejected' ? control.rejected(error, id, NO_RECORD) : control.threw(error, id, NO_RECORD);
    return withTime(control, call.time, () =>
      linked[id]!.recovery.recover(error, call.record, call.key, how, async () => {
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
    this.#timers.takeRequests();
    collected[this.#node.id]!.length = 0;
    const sent = outputs[this.#node.id];
    if (sent !== undefined) sent.length = 0;
  }

  #outResults(): void {
    if (this.#results.length === 0) return;
    this.#out.push({ kind: 'records', records: this.#results, keys: this.#resultKeys, times: this.#timed ? this.#resultTimes : undefined });
    this.#results = [];
    this.#resultKeys = [];
    this.#resultTimes = [];
  }

  takeResults(): KeyedResults | undefined {
    for (;;) {
      const next = this.#out.shift();
      if (next?.kind !== 'time') return next;
      this.#bindings.times?.say(this.#node.id, next.time.watermark, next.time.isIdle);
    }
  }

  /** Gives back the memory of what has expired, and of keys that hold nothing any more; no rows with slots may be waiting. */
  #release(): void {
    const [next] = this.#queue;
    if (next !== undefined && 'slots' in next && next.slots !== undefined) return;
    this.#event.flush();
    this.#processing.flush();
    this.#state.expire(this.#rowsSinceRelease, (slot) => this.#slots.touched(slot));
    this.#rowsSinceRelease = 0;
    this.#slots.release((slots) => {
      const empty = slots.filter((slot) => this.#state.isEmpty(slot));
      return empty.length === 0 ? empty : this.#processing.without(this.#event.without(empty));
    });
    const { metrics } = this.#bindings.contexts[this.#node.id]!;
    metrics.gauge('keys held').set(this.#slots.size);
    metrics.gauge('timers held').set(this.#event.size + this.#processing.size);
  }

  /** What a state holds for a key now, for readers outside of the job's functions. */
  readState(name: string, key: unknown): StateAnswer {
    const state = this.#state.named(name);
    if (state === undefined) return { kind: 'undeclared', names: this.#state.names };
    const slot = this.#slots.find(key);
    const value = slot === undefined ? undefined : state.snapshot(slot);
    return value === undefined ? { kind: 'none' } : { kind: 'value', value };
  }

  flush(): void {
    this.writer.flush();
  }

  #lookAtClock(): void {
    const { earliestMs } = this.#processing;
    if (earliestMs !== Number.POSITIVE_INFINITY && earliestMs <= this.#bindings.clock.now()) this.#mayBeDue = true;
  }

  emitChanged(): void {
    this.#lookAtClock();
  }

  dueInMs(): number | undefined {
    const { earliestMs } = this.#processing;
    return earliestMs === Number.POSITIVE_INFINITY ? undefined : Math.min(MAX_DELAY_MS, Math.max(0, earliestMs - this.#bindings.clock.now()));
  }

  /** The input has ended: all timers are due. Whether that was not known yet. */
  finish(): boolean {
    if (this.#finished) return false;
    this.#finished = true;
    if (this.#timed) this.#advance(Number.POSITIVE_INFINITY);
    this.#mayBeDue = true;
    return true;
  }

  drain(): undefined {
    return undefined;
  }

  push(value: unknown, key: unknown): Pushed {
    const { control } = this.#bindings;
    const stopped = control.stop;
    try {
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
    this.#slots.close();
    this.#event.close();
    this.#processing.close();
  }
}
