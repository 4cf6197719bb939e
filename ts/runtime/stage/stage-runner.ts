import { startTimer } from '../../common/clock.ts';
import { operatorId } from '../../compiler/execution/operator-id.ts';
import { BatchReader } from '../codec/batch-reader.ts';
import { TAKE_BARRIER, TAKE_BATCH, TAKE_END_DRAINED, TAKE_END_STOPPED, TAKE_FLUSH, TAKE_SOURCE, TAKE_TIME, TAKE_TOO_SMALL } from '../native/core.ts';
import type { OpenedSource } from './opened-source.ts';
import { resumeSuspended } from './resume-suspended.ts';
import type { RunnerHost } from './runner-host.ts';
import { SegmentFunctions } from './segment-functions.ts';
import type { SinkTransactions } from './sink-transactions.ts';
import type { StageBindings } from './stage-bindings.ts';
import { StageHolders } from './stage-holders.ts';
import { StageSources } from './stage-sources.ts';
import type { TaskCheckpoints } from './task-checkpoints.ts';
import { type WorkItem, WorkStack } from './work-stack.ts';

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
export const LINGER_MS = 1;

/** Runs one task: takes batches or pulls its source, and calls the generated functions with them. */
export class StageRunner {
  readonly task: number;
  readonly bindings: StageBindings;
  readonly #host: RunnerHost;
  readonly #functions: SegmentFunctions;
  readonly #reader: BatchReader;
  readonly #desc = new Int32Array(8);
  /** The same memory: a watermark is its second number. */
  readonly #descNumbers = new Float64Array(this.#desc.buffer);
  readonly #inputOfGate: readonly number[];
  readonly #stack: WorkStack = new WorkStack();
  readonly #sources: StageSources;
  readonly #holders: StageHolders;
  readonly #hasOutputs: boolean;
  readonly #transactions: readonly SinkTransactions[];
  /** The last barrier has passed: nothing comes behind it, and nothing fires. */
  #isSealed = false;
  readonly #checkpoints: TaskCheckpoints;
  /** What the core said of the end. */
  #told: 'no' | 'drained' | 'stopped' = 'no';
  #lastFlushMs = 0;
  /** Ends the wait of a step for what is in flight. */
  #wakeStep: (() => void) | undefined;
  /** Something has settled that the operators have not worked on yet: no step may begin to wait. */
  #hasNews = false;
  /** In a loop: the task may have something left of what it took, and the core has not been told otherwise. */
  #isUnsettled = false;
  /** In a loop: nothing is left of what the last step took, but what an output may hold. */
  #isAtRest = true;
  /** The core has asked for what is held back. */
  #isFlushing = false;
  /** The core has given this step to the source: it may be asked for more until the step's time is up. */
  #isSourceTurn = false;
  readonly #nowMs: () => number;
  /** What the step at hand awaits. */
  #awaits: 'nothing' | 'function' | 'source' | 'calls' = 'nothing';

  constructor(task: number, bindings: StageBindings, sources: readonly OpenedSource[], host: RunnerHost, checkpoints: TaskCheckpoints) {
    this.task = task;
    this.bindings = bindings;
    this.#host = host;
    this.#nowMs = bindings.pace.nowMs;
    this.#functions = new SegmentFunctions(bindings, bindings.stage.name);
    this.#sources = new StageSources(sources, bindings.control, this.#functions, this.#stack, host.clock, bindings.restSource, host.stopping, (root) => bindings.times?.say(root, Number.POSITIVE_INFINITY));
    host.onEarlyEnd((operators) => this.#endEarly(operators));
    this.#holders = new StageHolders(bindings, this.#functions, this.#stack);
    this.#checkpoints = checkpoints;
    this.#transactions = bindings.transactions.filter((one) => one !== undefined);
    bindings.stateParts.push(...this.#sources.parts((root) => operatorId(bindings.stage.nodes[root]!.operator), (root) => bindings.counts[root]!));
    this.#reader = new BatchReader(host.layouts);
    const inputs: number[] = [];
    for (const node of bindings.stage.nodes) if (node.op.kind === 'input') inputs[node.op.gate] = node.id;
    this.#inputOfGate = inputs;
    this.#hasOutputs = bindings.stage.nodes.some((node) => node.op.kind === 'output');
  }

  /** Works for about `STEP_BUDGET_MS`; a promise when user code has to be awaited. */
  step(): StepResult | Promise<StepResult> {
    this.bindings.pace.beginStep();
    const deadlineMs = this.#nowMs() + STEP_BUDGET_MS;
    this.#isSourceTurn = false;
    this.#isAtRest = false;
    this.#isUnsettled = true;
    const result = this.#work(deadlineMs);
    return typeof result === 'string' ? this.#stepped(result) : this.#await(result, deadlineMs);
  }

  /** Something that was in flight has settled; whether a step was waiting for that. */
  wakeStep(): boolean {
    this.#hasNews = true;
    if (this.#wakeStep === undefined) return false;
    this.#wakeStep();
    return true;
  }

  /** Whether calls of user code are in flight, whether or not a step waits for them. */
  get hasCallsInFlight(): boolean {
    return this.bindings.holders.some((holder) => holder !== undefined && holder.inFlight > 0);
  }

  /** What user code still owes, in words. What waits for time to pass, or for the next record of a test, is not among it. */
  get pendingWork(): readonly string[] {
    const { holders, waiting } = this.bindings;
    const calls = holders.reduce((sum, holder) => sum + (holder?.inFlight ?? 0), 0);
    const source = this.#awaits === 'source' && !this.#sources.isQuiet;
    const others = calls + (this.#awaits === 'function' ? 1 : 0) + (source ? 1 : 0) - waiting.byClock - waiting.forCalls;
    if (others <= 0) return [];
    return source && others === 1 ? ['the next record'] : [others === 1 ? 'a promise' : `${others} promises`];
  }

  /** Milliseconds until the task has results to emit though no record comes (`emit: { everyMs }`, `batch({ waitMs })`), if there are any. */
  get dueInMs(): number | undefined {
    if (this.#isSealed) return undefined;
    const { assigners, times } = this.bindings;
    const { dueInMs } = this.#holders;
    if (times === undefined) return dueInMs;
    const due = [dueInMs, ...assigners.map((assigner) => assigner?.dueInMs)].filter((ms) => ms !== undefined);
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
    if (this.bindings.times !== undefined) {
      this.#sayTimes();
      for (const output of this.bindings.timedOutputs) flushed = output?.sendTime() === true || flushed;
    }
    this.#lastFlushMs = this.#nowMs();
    this.#settle();
    return flushed;
  }

  /** In a loop: says that nothing is left, once everything has been sent. */
  #settle(): void {
    if (this.bindings.stage.inLoop !== true || !this.#isUnsettled || !this.#isAtRest || this.#told !== 'no') return;
    // A call that has come back since the last step has left something, as long as no step has worked on it.
    if (this.#hasNews || this.hasCallsInFlight || this.#holders.hasBacklog || this.#holders.waitsForClock) return;
    this.#isUnsettled = false;
    this.#host.core.settleTask(this.#host.isolate, this.task);
  }

  /** The job is over though the task is not: no function is called again, whatever is still being awaited. */
  leave(): void {
    this.bindings.control.leave();
    this.#wakeStep?.();
  }

  /** Tells the sources where they go on: `seek` before their functions are opened, `catchUp` behind that. */
  goOnFrom(how: 'seek' | 'catchUp'): Promise<void> {
    return this.#sources.goOn(how);
  }

  /** A step that waits for the next record of a source looks whether a barrier has come meanwhile. */
  lookForBarrier(): void {
    if (this.#awaits === 'source') this.#wakeStep?.();
  }

  /** Leaves the sources: their `return` is called, so that generators can clean up. */
  closeSources(): Promise<void> {
    return this.#sources.close();
  }

  /** Nothing can become of what these operators would still give. */
  #endEarly(operators: ReadonlySet<number>): void {
    const { stage, control } = this.bindings;
    for (const node of stage.nodes) if (operators.has(node.operator.id) && node.op.kind !== 'output' && node.op.kind !== 'input') control.needless.add(node.id);
    this.#sources.leaveNeedless();
  }

  /** How the inputs of the task have ended. */
  get #ending(): 'no' | 'drained' | 'stopped' {
    return this.#told === 'no' && this.#sources.haveEnded ? 'drained' : this.#told;
  }

  #stepped(result: StepResult): StepResult {
    this.#isAtRest = result === 'waiting';
    if (this.#hasOutputs && this.#nowMs() - this.#lastFlushMs >= LINGER_MS) this.flush();
    return result;
  }

  /** The asynchronous form of a step: awaits what user code gave, and works on, until it would give the isolate back. */
  async #await(promise: Promise<void>, deadlineMs: number): Promise<StepResult> {
    let waiting: Promise<void> = promise;
    for (;;) {
      await waiting;
      this.bindings.states.leave();
      this.#awaits = 'nothing';
      this.#wakeStep = undefined;
      this.bindings.control.checkNotOver();
      this.#host.worked();
      // Promises that never wait for anything would keep timers and signals from their turn for as long as there are records.
      if (this.#nowMs() >= deadlineMs) return this.#stepped(this.#leave('more'));
      const result = this.#work(deadlineMs);
      if (typeof result === 'string') return this.#stepped(result);
      waiting = result;
    }
  }

  #work(stepDeadlineMs: number): StepResult | Promise<void> {
    const { control, states } = this.bindings;
    if (this.#stack.size === 0 && this.#ending === 'no' && this.#mayTake) this.#take();
    let nowMs = this.#nowMs();
    // Code may have been generated just now; that is no reason to do nothing with it.
    const deadlineMs = Math.max(stepDeadlineMs, nowMs + LEAST_WORK_MS);
    control.turnDueMs = deadlineMs;
    for (;;) {
      this.#hasNews = false;
      if (!this.#isSealed) {
        states.enter();
        const worked = this.#holders.work();
        if (worked !== undefined) return this.#awaiting('function', worked);
        states.leave();
        if (this.#holders.hasBacklog) {
          if (this.#nowMs() >= deadlineMs) return this.#leave('more');
          continue;
        }
      }
      const item = this.#stack.top;
      if (item === undefined && this.#checkpoints.barrier !== undefined) {
        const passed = this.#passBarrier();
        if (typeof passed === 'object') return this.#awaiting('function', passed);
        if (passed === 'in flight') return this.#awaitCalls();
        if (this.#nowMs() >= deadlineMs) return this.#leave('more');
        continue;
      }
      if (this.#holders.isBlocked(item?.root)) {
        if (!this.#holders.flush()) return this.#awaitCalls();
        if (this.#nowMs() >= deadlineMs) return this.#leave('more');
        continue;
      }
      if (item === undefined) {
        this.#sayTimes();
        if (!this.#isSealed && this.#holders.flush()) continue;
        if (this.#sources.isPending) return this.#awaiting('source', this.#sources.awaitRecord(this.dueInMs, this.#woken));
        if (this.#isFlushing) {
          const flushed = this.#holders.flushNext();
          if (flushed === 'more') continue;
          if (flushed === 'in flight') return this.#awaitCalls();
          this.#isFlushing = false;
        }
        if (this.#ending === 'no') {
          // A record that was awaited is through; a source that gives promises must not pay for a whole step with each. The
          // core is asked all the same: the job may have been paused or stopped meanwhile.
          if (!this.#isSourceTurn || this.#nowMs() >= stepDeadlineMs) return 'waiting';
          this.#take();
          if (this.#stack.size === 0 && this.#ending === 'no' && this.#checkpoints.barrier === undefined) return 'waiting';
          continue;
        }
        const drained = this.#holders.drainNext(this.#ending === 'drained');
        if (typeof drained === 'object') return this.#awaiting('function', drained);
        if (drained === 'in flight') return this.#awaitCalls();
        if (drained === 'done') {
          const preparing = this.#isSealed ? undefined : this.#prepare('end');
          return preparing === undefined ? this.#finish() : this.#awaiting('function', preparing);
        }
        continue;
      }
      if (this.#sources.isStopping && this.#sources.has(item)) {
        // Whatever was above it on the stack is done: the core says how the source ends.
        this.#stack.clear();
        continue;
      }
      if (this.#sources.isLeft(item)) {
        this.#stack.remove(item);
        continue;
      }
      control.stop = false;
      control.nothing = false;
      nowMs = this.#run(item, nowMs, deadlineMs);
      if (control.ended) this.#sources.end(item);
      else if (item.next >= item.end) this.#done(item);
      if (control.suspended !== undefined) {
        const suspension = control.suspended;
        control.suspended = undefined;
        return this.#awaiting('function', resumeSuspended(suspension, this.bindings));
      }
      if (control.pulled !== undefined) {
        // Records before it may wait in an operator: they must not wait for the next one.
        this.#sources.pulled(item, control.pulled);
        continue;
      }
      const credit = !control.stop || !this.#hasOutputs || this.#host.core.hasCredit(this.#host.isolate, this.task) === 1;
      if (control.nothing && this.#stack.top === item) return this.#leave('nothing');
      if (nowMs >= deadlineMs || !credit) return this.#leave('more');
    }
  }

  /** Whether the core is asked for something: also while the task waits for a source, for a barrier; not while one has still to pass. */
  get #mayTake(): boolean {
    return this.#checkpoints.barrier === undefined;
  }

  /**
   * Lets the barrier pass when everything before it has been worked on and has left, but for what holders keep. `more` when that is to be tried
   * again, as something has just come out of an operator.
   */
  #passBarrier(): 'more' | 'in flight' | 'done' | Promise<void> {
    this.#sayTimes();
    if (this.#holders.flush() || this.#holders.flushKeyed()) return 'more';
    const { barrier } = this.#checkpoints;
    if (barrier?.isLast === true) {
      const drained = this.#holders.drainNext(false);
      if (drained !== 'done') return drained;
    }
    this.flush();
    const preparing = barrier === undefined ? undefined : this.#prepare(barrier.epoch);
    if (preparing !== undefined) return preparing;
    this.#isSealed = barrier?.isLast === true;
    this.#checkpoints.pass();
    return 'done';
  }

  /** Has transactional sinks end what they have at hand; to be called again when a promise has settled. */
  #prepare(epoch: number | 'end'): Promise<void> | undefined {
    for (const transactions of this.#transactions) {
      const preparing = transactions.prepare(epoch);
      if (preparing !== undefined) return preparing;
    }
    return undefined;
  }

  #awaiting<P>(what: 'function' | 'source', promise: P): P {
    this.#awaits = what;
    return promise;
  }

  /** Waits until a call that is in flight has settled, or results are due. */
  async #awaitCalls(): Promise<void> {
    this.#awaits = 'calls';
    const { dueInMs } = this;
    let stop: (() => void) | undefined;
    await new Promise<void>((resolve) => {
      this.#woken(resolve);
      if (dueInMs !== undefined) stop = startTimer(this.#host.clock, dueInMs, resolve);
    });
    stop?.();
  }

  /** Has `wake` called when something that was in flight has settled: at once for what did so in this step, of which nobody is told again. */
  readonly #woken = (wake: () => void): void => {
    if (this.#hasNews) wake();
    else this.#wakeStep = wake;
  };

  /**
   * Calls an item's segment until it is through, has something to say, or the time is up; returns the time. Most calls have
   * nothing to say, and what lies between two of them counts.
   */
  #run(item: WorkItem, startMs: number, deadlineMs: number): number {
    const { control, states } = this.bindings;
    const { segment, source, keys, times, end } = item;
    let nowMs = startMs;
    states.enter();
    do {
      const from = item.next;
      item.next = segment.run(source, from, Math.min(end, from + segment.quota.rows), keys, times);
      const beforeMs = nowMs;
      nowMs = this.#nowMs();
      segment.measured(nowMs - beforeMs, item.next - from);
    } while (item.next < end && nowMs < deadlineMs && control.isQuiet && !this.#sources.isStopping);
    if (control.suspended === undefined) states.leave();
    return nowMs;
  }

  /** All rows of an item have been taken. */
  #done(item: WorkItem): void {
    this.#stack.remove(item);
    this.#holders.giveBack(item);
  }

  /** Ends a step while there is a source or rows to go on with; results that are due are the first thing of the next one. */
  #leave(result: StepResult): StepResult {
    const left = this.#leaveSource(result);
    this.#sayTimes();
    return this.#holders.flush() ? 'more' : left;
  }

  /** The source is not held over steps: each step asks the core whether it may go on. */
  #leaveSource(result: StepResult): StepResult {
    if (this.#stack.size === 1 && this.#sources.has(this.#stack.top!)) {
      this.#stack.clear();
      return result === 'more' ? 'waiting' : result;
    }
    return result;
  }

  /** Tells those below how far event time has come in what was worked on so far. */
  #sayTimes(): void {
    const { assigners, times, isPaused } = this.bindings;
    if (times === undefined) return;
    for (const assigner of assigners) assigner?.look(() => !isPaused());
    // The isolate flushes its tasks also while one waits: what it waits for must not find the end of its time below.
    if (this.#awaits === 'function') return;
    if (this.#stack.size === 0) this.#sources.sayLeft();
    this.#holders.sayTimes();
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
      case TAKE_TIME:
        this.bindings.times?.say(this.#inputOfGate[this.#desc[0]!]!, this.#descNumbers[1]!, this.#desc[1] === 1);
        break;
      case TAKE_FLUSH:
        this.#isFlushing = true;
        this.#holders.beginFlush();
        break;
      case TAKE_SOURCE:
        this.#isSourceTurn = true;
        if (!this.#sources.isPending) this.#sources.takeTurn();
        break;
      case TAKE_BARRIER:
        this.#checkpoints.barrier = { epoch: this.#descNumbers[1]!, isLast: this.#desc[0] === 1 };
        break;
      case TAKE_END_DRAINED:
        this.#told = 'drained';
        break;
      case TAKE_END_STOPPED:
        this.#told = 'stopped';
        break;
      default:
        break;
    }
  }

  #pushBatch(root: number, imageBytes: number): void {
    const reader = this.#reader;
    this.bindings.times?.sayActive(root);
    const direct = this.#directAggregate(root);
    if (direct !== undefined) {
      this.bindings.counts[root]! += this.#desc[2]!;
      direct(reader.image.subarray(0, imageBytes), this.#desc[2]!);
      return;
    }
    reader.load();
    const { known, missing } = reader;
    const segment = this.#functions.get(root, { kind: 'batch', plan: known.plan, missing }, `${known.id}/${missing}`);
    this.#stack.push(root, segment, reader, reader.rows);
  }

  /** A root whose batches go to a native aggregate as they are. */
  #directAggregate(root: number): ((image: Uint8Array, rows: number) => void) | undefined {
    const { nodes } = this.bindings.stage;
    const { children } = nodes[root]!;
    const { op } = nodes[children[0] ?? root]!;
    if (children.length !== 1 || !(op.kind === 'window' || op.kind === 'aggregate') || op.input !== 'extracted' || ('emit' in op && op.emit !== 'final')) return undefined;
    const operator = this.bindings.keyed[children[0]!];
    return operator?.updateFromImage?.bind(operator);
  }

  #finish(): StepResult {
    this.flush();
    this.#checkpoints.finish();
    return 'finished';
  }
}
