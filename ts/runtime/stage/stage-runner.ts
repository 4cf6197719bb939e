import { BatchReader, type LayoutCache } from '../codec/batch-reader.ts';
import type { Core } from '../native/core.ts';
import { TAKE_BATCH, TAKE_END_DRAINED, TAKE_END_STOPPED, TAKE_SOURCE, TAKE_TOO_SMALL } from '../native/core.ts';
import type { KeyedOperator, KeyedResults } from './keyed-operator.ts';
import { resumeSuspended } from './linked-node.ts';
import type { OpenedSource } from './opened-source.ts';
import { resultInput } from './read-results.ts';
import { SegmentFunctions } from './segment-functions.ts';
import type { Segment } from './segment.ts';
import type { StageBindings } from './stage-bindings.ts';
import { NO_RECORD } from './stage-control.ts';

/**
 * What a step left behind.
 *
 * - `more`: the task holds rows of its own and wants to go on as soon as it has credit
 * - `waiting`: everything it was given is worked on
 * - `nothing`: its source has nothing now
 * - `finished`: it has ended, its outputs are complete
 */
export type StepResult = 'more' | 'waiting' | 'nothing' | 'finished';

/** Time after which a step gives the isolate back, so that timers, signals and other tasks get their turn. */
const STEP_BUDGET_MS = 4;
/** A step works at least so long. */
const LEAST_WORK_MS = 1;
/** Open batches leave after this long even when the task is busy. */
const LINGER_MS = 1;

/** What a wait for a source may end with instead of a record. */
const STOPPED = Symbol('the job stops');
const DUE = Symbol('results are due');

/** An async generator whose record was awaited when its job ended has this long to come to its `finally`. */
const OWED_MS = 40;

interface WorkItem {
  readonly root: number;
  readonly segment: Segment;
  readonly source: unknown;
  readonly keys: readonly unknown[] | undefined;
  next: number;
  readonly end: number;
}

interface SourceState {
  readonly opened: OpenedSource;
  ended: boolean;
  item: WorkItem | undefined;
}

/** What a runner needs of its isolate. */
export interface RunnerHost {
  readonly core: Core;
  /** Handle of the isolate in the core. */
  readonly isolate: number;
  readonly layouts: LayoutCache;
  /** Resolves when the job is told to stop or is over; pending sources are then left. */
  readonly stopping: Promise<void>;
  /** The job's clock: milliseconds from any fixed start. */
  readonly nowMs: () => number;
}

/** Runs one task: takes batches or pulls its source, and calls the generated functions with them. */
export class StageRunner {
  readonly task: number;
  readonly bindings: StageBindings;
  readonly #host: RunnerHost;
  readonly #functions: SegmentFunctions;
  readonly #reader: BatchReader;
  readonly #desc = new Int32Array(8);
  readonly #inputOfGate: readonly number[];
  readonly #sources: readonly SourceState[];
  #nextSource = 0;
  readonly #hasOutputs: boolean;
  readonly #stack: WorkItem[] = [];
  #ending: 'no' | 'drained' | 'stopped' = 'no';
  /** A promise of a source that has not settled. */
  #pull: { readonly item: WorkItem; readonly promise: PromiseLike<unknown> } | undefined;
  /** The source that was left with a promise that has not settled. */
  #owing: WorkItem | undefined;
  #draining = 0;
  #lastFlushMs = 0;
  #isStopping = false;
  #onStopping: () => void = () => undefined;

  constructor(task: number, bindings: StageBindings, sources: readonly OpenedSource[], host: RunnerHost) {
    this.task = task;
    this.bindings = bindings;
    this.#host = host;
    this.#functions = new SegmentFunctions(bindings, bindings.stage.name);
    this.#sources = sources.map((opened) => ({ opened, ended: false, item: undefined }));
    this.#reader = new BatchReader(host.layouts);
    const inputs: number[] = [];
    for (const node of bindings.stage.nodes) if (node.op.kind === 'input') inputs[node.op.gate] = node.id;
    this.#inputOfGate = inputs;
    this.#hasOutputs = bindings.stage.nodes.some((node) => node.op.kind === 'output');
    void host.stopping.then(() => {
      this.#isStopping = true;
      this.#onStopping();
    });
  }

  /** Works for about `STEP_BUDGET_MS`; a promise when user code has to be awaited. */
  step(): StepResult | Promise<StepResult> {
    const deadlineMs = performance.now() + STEP_BUDGET_MS;
    const result = this.#work(deadlineMs);
    return typeof result === 'string' ? this.#stepped(result) : this.#await(result, deadlineMs);
  }

  /** Milliseconds until the task has results to emit though no record comes (`emit: { everyMs }`), if there are any. */
  get dueInMs(): number | undefined {
    const nowMs = this.#host.nowMs();
    const due = [...this.bindings.keyed, ...this.bindings.state].flatMap((holder) => holder?.dueInMs?.(nowMs) ?? []);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  /** Sends what open batches hold; whether there was anything. */
  flush(): boolean {
    let flushed = false;
    for (const writer of this.bindings.writers) {
      if (writer !== undefined && writer.rows > 0) {
        writer.flush();
        flushed = true;
      }
    }
    this.#lastFlushMs = performance.now();
    return flushed;
  }

  /** The job is over though the task is not: no function is called again, whatever is still being awaited. */
  leave(): void {
    this.bindings.control.leave();
  }

  /** Leaves the sources: their `return` is called, so that generators can clean up. */
  async closeSources(): Promise<void> {
    for (const source of this.#sources) {
      if (source.ended) continue;
      const closing = source.opened.close();
      // An async generator comes to its `return` behind the promise that it still owes, and that may never settle.
      if (source.item === this.#owing) await settledWithin(OWED_MS, closing);
      else await closing;
    }
  }

  #stepped(result: StepResult): StepResult {
    if (this.#hasOutputs && performance.now() - this.#lastFlushMs >= LINGER_MS) this.flush();
    return result;
  }

  /** The asynchronous form of a step: awaits what user code gave, and works on, until it would give the isolate back. */
  async #await(promise: Promise<void>, deadlineMs: number): Promise<StepResult> {
    let waiting: Promise<void> = promise;
    for (;;) {
      await waiting;
      this.bindings.control.checkNotOver();
      // Promises that never wait for anything would keep timers and signals from their turn for as long as there are records.
      if (performance.now() >= deadlineMs) return this.#stepped(this.#leave('more'));
      const result = this.#work(deadlineMs);
      if (typeof result === 'string') return this.#stepped(result);
      waiting = result;
    }
  }

  #work(stepDeadlineMs: number): StepResult | Promise<void> {
    const { control } = this.bindings;
    if (this.#stack.length === 0 && this.#ending === 'no' && this.#pull === undefined) this.#take();
    let nowMs = performance.now();
    // Code may have been generated just now; that is no reason to do nothing with it.
    const deadlineMs = Math.max(stepDeadlineMs, nowMs + LEAST_WORK_MS);
    control.turnDueMs = deadlineMs;
    for (;;) {
      const worked = this.#workKeyed();
      if (worked !== undefined) return worked;
      if (this.#hasBacklog()) {
        if (performance.now() >= deadlineMs) return this.#leave('more');
        continue;
      }
      const item = this.#stack.at(-1);
      if (item === undefined) {
        if (this.#flushKeyed()) continue;
        if (this.#pull !== undefined) return this.#pulled(this.#pull.item, this.#pull.promise);
        if (this.#ending === 'no') return 'waiting';
        if (this.#drainNext()) continue;
        return this.#finish();
      }
      if (this.#isStopping && this.#isSource(item)) {
        // Whatever was above it on the stack is done: the core says how the source ends.
        this.#stack.length = 0;
        continue;
      }
      control.stop = false;
      control.nothing = false;
      nowMs = this.#run(item, nowMs, deadlineMs);
      if (control.ended) this.#sourceEnded(item);
      else if (item.next >= item.end) this.#done(item);
      if (control.suspended !== undefined) {
        const suspension = control.suspended;
        control.suspended = undefined;
        return resumeSuspended(suspension, this.bindings);
      }
      if (control.pulled !== undefined) return this.#pulled(item, control.pulled);
      const credit = !control.stop || !this.#hasOutputs || this.#host.core.hasCredit(this.#host.isolate, this.task) === 1;
      if (control.nothing && this.#stack.at(-1) === item) return this.#leave('nothing');
      if (nowMs >= deadlineMs || !credit) return this.#leave('more');
    }
  }

  /**
   * Calls an item's segment until it is through, has something to say, or the time is up; returns the time. Most calls have
   * nothing to say, and what lies between two of them counts.
   */
  #run(item: WorkItem, startMs: number, deadlineMs: number): number {
    const { control } = this.bindings;
    const { segment, source, keys, end } = item;
    let nowMs = startMs;
    do {
      const from = item.next;
      item.next = segment.run(source, from, Math.min(end, from + segment.quota.rows), keys);
      const beforeMs = nowMs;
      nowMs = performance.now();
      segment.measured(nowMs - beforeMs, item.next - from);
    } while (item.next < end && nowMs < deadlineMs && control.isQuiet && !this.#isStopping);
    return nowMs;
  }

  /** All rows of an item have been taken. */
  #done(item: WorkItem): void {
    this.#stack.splice(this.#stack.indexOf(item), 1);
    if (item.source instanceof BatchReader) this.bindings.keyed[item.root]?.giveBack?.(item.source);
  }

  /** Ends a step while there is a source or rows to go on with; results that are due are the first thing of the next one. */
  #leave(result: StepResult): StepResult {
    const left = this.#leaveSource(result);
    return this.#flushKeyed() ? 'more' : left;
  }

  /** The source is not held over steps: each step asks the core whether it may go on. */
  #leaveSource(result: StepResult): StepResult {
    if (this.#stack.length === 1 && this.#isSource(this.#stack[0]!)) {
      this.#stack.length = 0;
      return result === 'more' ? 'waiting' : result;
    }
    return result;
  }

  #isSource(item: WorkItem): boolean {
    return this.#sources.some((source) => source.item === item);
  }

  /** Takes the next batch, or the source's turn, or the end, from the core. */
  #take(): void {
    const { core, isolate } = this.#host;
    const reader = this.#reader;
    let code = core.take(isolate, this.task, this.#desc, reader.image);
    if (code === TAKE_TOO_SMALL) {
      reader.resize(this.#desc[1]!);
      code = core.take(isolate, this.task, this.#desc, reader.image);
    }
    switch (code) {
      case TAKE_BATCH:
        this.#pushBatch(this.#inputOfGate[this.#desc[0]!]!, this.#desc[1]!);
        break;
      case TAKE_SOURCE:
        this.#pushSource();
        break;
      case TAKE_END_DRAINED:
        this.#ending = 'drained';
        break;
      case TAKE_END_STOPPED:
        this.#ending = 'stopped';
        break;
      default:
        break;
    }
  }

  #pushBatch(root: number, imageBytes: number): void {
    const reader = this.#reader;
    const direct = this.#directAggregate(root);
    if (direct !== undefined) {
      this.bindings.counts[root]! += this.#desc[2]!;
      direct(reader.image.subarray(0, imageBytes));
      return;
    }
    reader.load();
    const { known, missing } = reader;
    const segment = this.#functions.get(root, { kind: 'batch', plan: known.plan, missing }, `${known.id}/${missing}`);
    this.#push(root, segment, reader, reader.rows);
  }

  /** A root whose batches go to a native aggregate as they are. */
  #directAggregate(root: number): ((image: Uint8Array) => void) | undefined {
    const { nodes } = this.bindings.stage;
    const { children } = nodes[root]!;
    const { op } = nodes[children[0] ?? root]!;
    if (children.length !== 1 || op.kind !== 'aggregate' || op.input !== 'extracted' || op.emit !== 'final') return undefined;
    const operator = this.bindings.keyed[children[0]!];
    return operator?.updateFromImage?.bind(operator);
  }

  #push(root: number, segment: Segment, source: unknown, rows: number, keys?: readonly unknown[]): void {
    this.#stack.push({ root, segment, source, keys, next: 0, end: rows });
  }

  /** Puts the next source that has not ended on the stack; several sources of one stage take turns. */
  #pushSource(): void {
    for (let n = 0; n < this.#sources.length; n++) {
      const source = this.#sources[this.#nextSource++ % this.#sources.length]!;
      if (source.ended) continue;
      const { opened } = source;
      source.item ??= {
        root: opened.root,
        segment: this.#functions.get(opened.root, opened.input, ''),
        source: opened.source,
        keys: undefined,
        next: opened.start,
        end: opened.end,
      };
      if (source.item.next < source.item.end) {
        this.#stack.push(source.item);
        return;
      }
      this.#sourceEnded(source.item);
    }
  }

  #sourceEnded(item: WorkItem): void {
    this.bindings.control.ended = false;
    const source = this.#sources.find((candidate) => candidate.item === item);
    if (source !== undefined) source.ended = true;
    const at = this.#stack.indexOf(item);
    if (at >= 0) this.#stack.splice(at, 1);
    if (this.#sources.every(({ ended }) => ended) && this.#ending === 'no') this.#ending = 'drained';
  }

  /** A source gave a promise: its record is awaited, unless the job stops first. */
  async #pulled(item: WorkItem, promise: PromiseLike<unknown>): Promise<void> {
    const { control } = this.bindings;
    control.pulled = undefined;
    const at = this.#stack.indexOf(item);
    if (at >= 0) this.#stack.splice(at, 1);
    this.#pull = { item, promise };
    this.#owing = item;
    const { dueInMs } = this;
    let timer: NodeJS.Timeout | undefined;
    const due = dueInMs === undefined ? [] : [new Promise<symbol>((resolve) => {
      timer = setTimeout(resolve, dueInMs, DUE);
    })];
    let settled: unknown;
    try {
      settled = await this.#unlessStopped([promise, ...due]);
    } catch (error) {
      throw control.rejected(error, item.root, NO_RECORD);
    } finally {
      clearTimeout(timer);
    }
    if (settled === DUE) return;
    this.#pull = undefined;
    if (settled === STOPPED) return;
    this.#owing = undefined;
    const { opened } = this.#sources.find((source) => source.item === item)!;
    const record = opened.settle(settled);
    if (record === undefined) this.#sourceEnded(item);
    else if (record.has) this.#push(item.root, this.#functions.get(item.root, { kind: 'array' }, ''), [record.value], 1);
    else await new Promise((resolve) => setTimeout(resolve, 1));
  }

  /**
   * The first promise to settle, or `STOPPED`. Not `Promise.race` with `stopping`: that promise lives as long as the job and
   * would hold on to every record that was ever awaited beside it.
   */
  #unlessStopped(promises: readonly PromiseLike<unknown>[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#isStopping) resolve(STOPPED);
      this.#onStopping = () => resolve(STOPPED);
      for (const promise of promises) promise.then(resolve, reject);
    });
  }

  #takeResults(operator: NonNullable<StageBindings['keyed'][number]>): boolean {
    const root = this.bindings.keyed.indexOf(operator);
    const results: KeyedResults[] = [];
    for (let next = operator.takeResults(); next !== undefined; next = operator.takeResults()) results.push(next);
    // The stack is worked from its top: the oldest results go on last.
    for (const next of results.toReversed()) this.#pushResults(root, next);
    return results.length > 0;
  }

  #pushResults(root: number, results: KeyedResults): void {
    if (results.kind === 'records') {
      this.#push(root, this.#functions.get(root, { kind: 'array' }, ''), results.records, results.records.length);
      return;
    }
    const { reader } = results;
    const input = resultInput(this.bindings.stage.nodes[root]!.op, results);
    const keys = results.kind === 'running' ? results.keys : undefined;
    this.#push(root, this.#functions.get(root, input, String(reader.known.id)), reader, reader.rows, keys);
  }

  /** Lets keyed operators work on what was encoded; their results go on the stack. */
  #workKeyed(): Promise<void> | undefined {
    for (const operator of this.bindings.keyed) {
      if (operator?.hasWork !== true || this.#awaitsResults(operator)) continue;
      const worked = operator.work();
      if (worked !== undefined) return worked;
      operator.emitChanged?.(this.#host.nowMs());
      this.#takeResults(operator);
    }
    return undefined;
  }

  /** Whether earlier results of the operator are still on the stack: later ones must not overtake them. */
  #awaitsResults(operator: KeyedOperator): boolean {
    return this.#stack.some((item) => this.bindings.keyed[item.root] === operator);
  }

  /** Whether rows wait in a keyed operator, so that nothing may come from above it. */
  #hasBacklog(): boolean {
    return this.bindings.keyed.some((operator) => operator?.hasWork === true && !this.#awaitsResults(operator));
  }

  /** Closes the open batches of operators that emit as they go; whether that made work. */
  #flushKeyed(): boolean {
    let any = false;
    this.bindings.keyed.forEach((operator, id) => {
      const { op } = this.bindings.stage.nodes[id]!;
      if (operator === undefined || (op.kind !== 'reduce' && op.kind !== 'aggregate') || op.emit === 'final') return;
      operator.flush();
      if (!operator.hasWork) operator.emitChanged?.(this.#host.nowMs());
      any ||= operator.hasWork;
    });
    this.bindings.state.forEach((state, id) => {
      // Later results must not overtake earlier ones.
      if (this.#stack.some(({ root }) => root === id)) return;
      if (state?.takeChanged(this.#host.nowMs()) !== true) return;
      this.#pushResults(id, this.#unkeyedResult(id)!);
      any = true;
    });
    return any;
  }

  /** At the end of all inputs: results of the next aggregate that gives them then, upstream ones first. */
  #drainNext(): boolean {
    const { nodes } = this.bindings.stage;
    for (; this.#draining < nodes.length; this.#draining++) {
      const node = nodes[this.#draining]!;
      const { op } = node;
      if (op.kind !== 'reduce' && op.kind !== 'aggregate') continue;
      const operator = this.bindings.keyed[node.id];
      if (operator !== undefined && operator.writer.rows > 0) {
        operator.flush();
        if (operator.hasWork) return true;
      }
      if (this.#ending !== 'drained' || op.emit === 'update') continue;
      const results = operator === undefined ? this.#unkeyedEnd(node.id) : operator.drain();
      if (results === undefined) continue;
      if (operator === undefined) this.#draining++;
      this.#pushResults(node.id, results);
      return true;
    }
    return false;
  }

  /** What a global aggregate gives at the end; one that gave results as it went only what has changed since. */
  #unkeyedEnd(node: number): KeyedResults | undefined {
    const state = this.bindings.state[node]!;
    return state.everyMs === undefined || state.takeChanged(Number.POSITIVE_INFINITY) ? this.#unkeyedResult(node) : undefined;
  }

  #unkeyedResult(node: number): KeyedResults | undefined {
    const state = this.bindings.state[node];
    if (state === undefined) return undefined;
    const { op } = this.bindings.stage.nodes[node]!;
    if (op.kind === 'aggregate') {
      try {
        return { kind: 'records', records: [state.result()] };
      } catch (error) {
        throw this.bindings.control.threw(error, node, NO_RECORD);
      }
    }
    return state.has ? { kind: 'records', records: [state.value] } : undefined;
  }

  #finish(): StepResult {
    this.flush();
    return 'finished';
  }
}

/** Waits for a promise, however it settles, but not longer than this. */
function settledWithin(deadlineMs: number, promise: unknown): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, deadlineMs);
    const leave = (): void => {
      clearTimeout(timer);
      resolve();
    };
    Promise.resolve(promise).then(leave, leave);
  });
}
