import { startTimer } from '../../common/clock.ts';
import { SageError } from '../../common/errors.ts';
import type { StageNode } from '../../compiler/physical-plan.ts';
import type { PartOwner } from '../checkpoint/part-owner.ts';
import type { StatePart } from '../checkpoint/state-part.ts';
import type { AsyncSettings } from '../../transformations/map-async-transformation.ts';
import { AsyncCall, AsyncEntry, type EntryState } from './async-call.ts';
import type { AsyncHost } from './async-host.ts';
import type { Lane, Slot } from './async-places.ts';
import { HeldTimes } from './held-times.ts';
import type { HeldResults, HoldingOperator } from './holding-operator.ts';
import { isDividedByKey } from './is-divided-by-key.ts';
import { isThenable } from './is-thenable.ts';
import { keyIdentity } from './key-identity.ts';
import type { Pushed } from './linked-node.ts';
import { type FailureKind, backoffMs } from './recovery.ts';
import { type CallsInFlight, type SavedCall, type SavedStep, callParts, keyedCallParts } from './saved-calls.ts';
import type { StageBindings } from './stage-bindings.ts';
import type { CallRecorder } from './call-recorder.ts';
import type { StreamTime } from './stage-times.ts';
import { withTime } from './with-time.ts';

/** In order, results that wait for an earlier one; so many times the concurrency, and at least so many. */
const BUFFER_FACTOR = 4;
const LEAST_BUFFER = 64;

/**
 * The `mapAsync` of one task: a bounded number of calls in flight. Calls are begun by the runner only, in `work` and `submit`, so
 * that none begins while the job is paused; settled ones tell the runner, once for all that settle together.
 */
export class AsyncCalls implements HoldingOperator, CallsInFlight {
  /** How far event time is behind all records so far. */
  told: StreamTime | undefined = undefined;
  readonly #node: StageNode;
  readonly #bindings: StageBindings;
  readonly #settings: AsyncSettings;
  readonly #host: AsyncHost;
  readonly #call: (value: unknown, call: AsyncCall) => unknown;
  readonly #slots: Slot[] = [];
  readonly #freeSlots: Slot[] = [];
  /** Attempts after the first one: those of the call's own option, else those of the operator's policy. */
  readonly #retries: number;
  readonly #backoffMs: number;
  readonly #capacity: number;
  /** In order: everything that has not left, from `#head` on. */
  #entries: AsyncEntry[] = [];
  #head = 0;
  /** Not yet begun. */
  readonly #waiting: AsyncEntry[] = [];
  /** Between two attempts. */
  readonly #backingOff = new Set<AsyncEntry>();
  /** They have come back, and are delivered when that is recorded. */
  readonly #recording = new Set<AsyncEntry>();
  readonly #lanes = new Map<unknown, Lane>();
  #laneWaiting = 0;
  #nextPlace = 0;
  #running = 0;
  #results: unknown[] = [];
  #keys: unknown[] = [];
  #times: number[] = [];
  /** Watermarks, each with the number of results that have to be taken before it is said. */
  readonly #letGo: { behind: number; readonly time: StreamTime }[] = [];
  readonly #heldTimes = new HeldTimes((time) => this.#letTimeGo(time));
  #letters: { readonly error: unknown; readonly entry: AsyncEntry; readonly how: FailureKind }[] = [];
  #failure: { readonly error: unknown } | undefined;
  #notified = false;
  #wakeLinked: (() => void) | undefined;

  constructor(node: StageNode, bindings: StageBindings, host: AsyncHost) {
    const { op } = node;
    if (op.kind !== 'mapAsync') throw new TypeError(`operator '${op.kind}' makes no asynchronous calls`);
    this.#node = node;
    this.#bindings = bindings;
    this.#settings = op.settings;
    this.#host = host;
    this.#capacity = Math.max(LEAST_BUFFER, BUFFER_FACTOR * op.settings.concurrency);
    const { errorPolicy } = node.operator.transformation;
    const policy = op.settings.retry ?? (typeof errorPolicy === 'object' ? errorPolicy : undefined);
    this.#retries = policy?.retry ?? 0;
    this.#backoffMs = policy?.backoffMs ?? 0;
    const fn = bindings.functions[node.id] as ((value: unknown, call: AsyncCall) => unknown) | { execute(value: unknown, call: AsyncCall): unknown };
    this.#call = typeof fn === 'function' ? fn : (value, call) => fn.execute(value, call);
    bindings.control.whenLeft(() => this.#abortAll());
  }

  get inFlight(): number {
    return this.#running;
  }

  /** Dead letters of calls that have failed since the last `work`. */
  get hasWork(): boolean {
    return this.#letters.length > 0;
  }

  get isFull(): boolean {
    // Records that wait for another one of their key keep no others from theirs, as long as there are not too many.
    return this.#running >= this.#settings.concurrency || this.#waiting.length > 0 || this.#laneWaiting >= this.#capacity || this.#entries.length - this.#head >= this.#capacity;
  }

  /** Whether a call waits for nothing but to be begun. */
  get #mayBegin(): boolean {
    return this.#waiting.length > 0 && this.#running < this.#settings.concurrency;
  }

  /** Takes a record; generated code calls it. */
  submit(value: unknown, key: unknown): void {
    const { ordered, concurrencyPerKey } = this.#settings;
    const lane = concurrencyPerKey === undefined ? undefined : keyIdentity(key);
    const entry = new AsyncEntry(value, key, this.#bindings.control.time, lane, this.#heldTimes.entered(), this.#nextPlace++);
    if (ordered) this.#entries.push(entry);
    if (this.#running < this.#settings.concurrency && this.#waiting.length === 0) this.#admit(entry);
    else this.#waiting.push(entry);
    if (!this.isFull) return;
    this.#bindings.control.stop = true;
    this.#host.full?.();
  }

  push(value: unknown, key: unknown): Pushed {
    this.submit(value, key);
    return this.isFull ? this.#relieve() : undefined;
  }

  /** Gives results below until there is room again: the runner waits for this row and cannot. */
  async #relieve(): Promise<void> {
    const { linked, counts, room, control } = this.#bindings;
    const { emit } = linked[this.#node.id]!;
    for (;;) {
      // No call begins while the job is paused.
      await room();
      const worked = this.work();
      if (worked !== undefined) await worked;
      const results = this.takeResults();
      for (let n = 0; n < (results?.records.length ?? 0); n++) {
        counts[this.#node.id]!++;
        const pushed = withTime(control, results!.times?.[n], () => emit(results!.records[n], results!.keys?.[n]));
        if (pushed !== undefined) await pushed;
      }
      if (!this.isFull) return;
      // Calls may have settled while results went down: of those, nobody is told again.
      if (this.#results.length > 0 || this.#letters.length > 0 || this.#failure !== undefined || this.#mayBegin) continue;
      const { waiting } = this.#bindings;
      waiting.forCalls++;
      await new Promise<void>((resolve) => {
        this.#wakeLinked = resolve;
      });
      waiting.forCalls--;
      this.#bindings.control.checkNotOver();
    }
  }

  /** Begins what was waiting, and gives dead letters below. */
  work(): Pushed {
    this.#notified = false;
    if (this.#failure !== undefined) throw this.#failure.error;
    // A call that gives its result at once puts the next one of its key before the others.
    while (this.#mayBegin) this.#admit(this.#waiting.shift()!);
    if (this.#host.full !== undefined && this.isFull) this.#host.full();
    return this.#letters.length > 0 ? this.#sendLetters() : undefined;
  }

  async #sendLetters(): Promise<void> {
    const { recovery } = this.#bindings.linked[this.#node.id]!;
    for (const { error, entry, how } of this.#letters.splice(0)) {
      const pushed = recovery.giveUp(error, entry.value, entry.key, entry.attempts, how, entry.time);
      if (pushed !== undefined) await pushed;
    }
  }

  takeResults(): HeldResults | undefined {
    const { times } = this.#bindings;
    // Time does not overtake the dead letters of its records.
    while (!this.hasWork && this.#letGo[0]?.behind === 0) {
      const { watermark, isIdle } = this.#letGo.shift()!.time;
      times!.say(this.#node.id, watermark, isIdle);
    }
    if (this.#results.length === 0) return undefined;
    if (this.#letGo.length === 0) {
      const taken = { records: this.#results, keys: this.#keys, times: times === undefined ? undefined : this.#times };
      this.#results = [];
      this.#keys = [];
      this.#times = [];
      return taken;
    }
    const upTo = this.#letGo[0]!.behind;
    if (upTo === 0) return undefined;
    const taken = { records: this.#results.splice(0, upTo), keys: this.#keys.splice(0, upTo), times: times === undefined ? undefined : this.#times.splice(0, upTo) };
    for (const one of this.#letGo) one.behind -= upTo;
    return taken;
  }

  timeChanged(time: StreamTime): void {
    this.told = time;
    this.#heldTimes.timeChanged(time);
  }

  #letTimeGo(time: StreamTime): void {
    this.#letGo.push({ behind: this.#results.length, time });
  }

  dueInMs(): number | undefined {
    return undefined;
  }

  closeDue(): void {}

  end(): void {
    this.#host.ended?.();
  }

  /** Records whose calls have not come back, with results that have not left: calls are made again behind a restore, with all of their attempts. */
  stateParts(owner: PartOwner): StatePart[] {
    return isDividedByKey(this.#node) ? keyedCallParts(owner, this) : callParts(owner, this);
  }

  saved(): SavedStep[] {
    const steps: SavedStep[] = this.#letters.map(({ entry }) => stepOf(entry));
    let from = 0;
    for (const { behind, time } of [...this.#letGo, { behind: this.#results.length, time: undefined }]) {
      for (; from < behind; from++) steps.push({ key: this.#keys[from], time: this.#times[from], result: this.#results[from], isDone: true });
      if (time !== undefined) steps.push(time);
    }
    const { times } = this.#heldTimes;
    let epoch = 0;
    for (const entry of this.#inside()) {
      while (epoch < this.#heldTimes.placeOf(entry.epoch)) steps.push(times[epoch++]!);
      steps.push(stepOf(entry));
    }
    steps.push(...times.slice(epoch));
    return steps;
  }

  /** What has not left, in the order in which it came. */
  #inside(): AsyncEntry[] {
    if (this.#settings.ordered) return this.#entries.slice(this.#head).filter(({ state }) => state !== 'left out');
    const running = this.#slots.flatMap(({ entry }) => entry ?? []);
    const inLanes = Array.from(this.#lanes.values(), ({ waiting }) => waiting).flat();
    return [...running, ...this.#backingOff, ...this.#recording, ...this.#waiting, ...inLanes].toSorted((a, b) => a.place - b.place);
  }

  /** The calls are begun with the first step of the task. */
  restore(steps: readonly SavedStep[]): void {
    const { ordered, concurrencyPerKey } = this.#settings;
    for (const step of steps) {
      if ('watermark' in step) {
        this.timeChanged(step);
        continue;
      }
      const { key, time, record, result, isDone } = step;
      const lane = concurrencyPerKey === undefined ? undefined : keyIdentity(key);
      const entry = new AsyncEntry(record, key, time, lane, this.#heldTimes.entered(), this.#nextPlace++);
      if (ordered) this.#entries.push(entry);
      if (!isDone) this.#waiting.push(entry);
      else {
        entry.state = 'done';
        entry.result = result;
        if (!ordered) this.#leave(entry);
      }
    }
    if (ordered) this.#giveInOrder();
  }

  /** Begins a call, unless there are as many as may be of its key. */
  #admit(entry: AsyncEntry): void {
    const { concurrencyPerKey } = this.#settings;
    if (concurrencyPerKey !== undefined) {
      let lane = this.#lanes.get(entry.lane);
      if (lane === undefined) {
        lane = { running: 0, waiting: [] };
        this.#lanes.set(entry.lane, lane);
      }
      if (lane.running >= concurrencyPerKey) {
        lane.waiting.push(entry);
        this.#laneWaiting++;
        return;
      }
      lane.running++;
    }
    this.#running++;
    this.#begin(entry);
  }

  /** One attempt of a call. */
  #begin(entry: AsyncEntry): void {
    entry.state = 'running';
    entry.attempts++;
    if (entry.attempts > 1) entry.current = new AsyncCall(entry.attempts, entry.key);
    let result: unknown;
    try {
      if (this.#giveRecorded(entry)) return;
      result = this.#call(entry.value, entry.current);
    } catch (error) {
      this.#failed(entry, error, 'threw');
      return;
    }
    if (!isThenable(result)) {
      this.#succeeded(entry, result);
      return;
    }
    const slot = this.#freeSlots.pop() ?? this.#makeSlot();
    slot.entry = entry;
    const { timeoutMs } = this.#settings;
    if (timeoutMs !== undefined) slot.stopTimer = startTimer(this.#bindings.clock, timeoutMs, () => this.#ranOut(slot, timeoutMs));
    // A thenable of somebody else's may settle twice, when the slot is another record's.
    (result instanceof Promise ? result : Promise.resolve(result)).then(slot.onDone, slot.onFail);
  }

  #makeSlot(): Slot {
    const slot: Slot = {
      entry: undefined,
      stopTimer: undefined,
      onDone: (result) => {
        const entry = this.#leaveSlot(slot);
        if (entry !== undefined) this.#succeeded(entry, result);
      },
      onFail: (error) => {
        const entry = this.#leaveSlot(slot);
        if (entry !== undefined) this.#failed(entry, error, 'rejected');
      },
    };
    this.#slots.push(slot);
    return slot;
  }

  /** The entry whose call has settled; nothing when it had run out of time. */
  #leaveSlot(slot: Slot): AsyncEntry | undefined {
    const { entry } = slot;
    if (entry === undefined) return undefined;
    slot.entry = undefined;
    slot.stopTimer?.();
    slot.stopTimer = undefined;
    this.#freeSlots.push(slot);
    return entry;
  }

  /** The slot is not used again: the call may still settle. */
  #ranOut(slot: Slot, timeoutMs: number): void {
    const entry = slot.entry!;
    slot.entry = undefined;
    this.#slots.splice(this.#slots.indexOf(slot), 1);
    const error = new SageError('SAGE_USER_TIMEOUT', `a call did not settle within ${timeoutMs} ms`);
    entry.current.abort(error);
    this.#failed(entry, error, 'rejected');
  }

  /** Gives what an earlier attempt of the job has recorded of the call, if it has; whether it has. */
  #giveRecorded(entry: AsyncEntry): boolean {
    const { recorder } = this.#host;
    if (recorder === undefined || entry.attempts > 1) return false;
    entry.recorded = recorder.call(entry.value, entry.key);
    const found = recorder.find(entry.recorded);
    if (found === undefined) return false;
    recorder.delivered(found);
    this.#deliver(entry, found.result);
    return true;
  }

  #succeeded(entry: AsyncEntry, result: unknown): void {
    const { recorder } = this.#host;
    if (recorder === undefined) this.#deliver(entry, result);
    else this.#record(recorder, entry, result);
  }

  /** The outcome is delivered when it is recorded. */
  #record(recorder: CallRecorder, entry: AsyncEntry, result: unknown): void {
    // Another attempt may have begun: it would not find what is recorded now, and make the call again.
    if (this.#bindings.control.over) {
      this.#running--;
      return;
    }
    const deliver = (): void => {
      this.#recording.delete(entry);
      this.#deliver(entry, result);
    };
    const failed = (error: unknown): void => {
      this.#recording.delete(entry);
      if (!this.#bindings.control.over) this.#failure ??= { error: this.#bindings.control.rejected(error, this.#node.id, entry.value) };
      this.#finish(entry, 'left out');
    };
    if (recorder.record({ call: entry.recorded!, result }, deliver, failed)) this.#recording.add(entry);
  }

  #deliver(entry: AsyncEntry, result: unknown): void {
    if (result === undefined) {
      this.#bindings.dropped[this.#node.id]!++;
      this.#finish(entry, 'left out');
      return;
    }
    entry.result = result;
    this.#finish(entry, 'done');
  }

  #failed(entry: AsyncEntry, error: unknown, how: FailureKind): void {
    if (this.#bindings.control.over) {
      this.#running--;
      return;
    }
    if (entry.attempts <= this.#retries) {
      // The call keeps its place among those in flight: a resource that fails gets no more calls than one that works.
      this.#backingOff.add(entry);
      this.#bindings.wait(backoffMs(this.#backoffMs, entry.attempts, this.#bindings.pace)).then(
        () => {
          this.#backingOff.delete(entry);
          this.#begin(entry);
        },
        () => {
          this.#running--; // the job is over
        },
      );
      return;
    }
    if (entry.recorded !== undefined) this.#host.recorder?.gaveUp(entry.recorded);
    const { recovery } = this.#bindings.linked[this.#node.id]!;
    if (recovery.isTolerant) this.#letters.push({ error, entry, how });
    else {
      const { control } = this.#bindings;
      this.#failure ??= { error: how === 'rejected' ? control.rejected(error, this.#node.id, entry.value) : control.threw(error, this.#node.id, entry.value) };
    }
    this.#finish(entry, 'left out');
  }

  /** A call has come to its end: others may begin, and results may leave. */
  #finish(entry: AsyncEntry, state: EntryState): void {
    entry.state = state;
    this.#running--;
    if (this.#settings.concurrencyPerKey !== undefined) this.#leaveLane(entry);
    if (!this.#settings.ordered) this.#leave(entry);
    else this.#giveInOrder();
    this.#notify();
  }

  #leaveLane({ lane: id }: AsyncEntry): void {
    const lane = this.#lanes.get(id)!;
    lane.running--;
    const next = lane.waiting.shift();
    if (next !== undefined) {
      this.#laneWaiting--;
      // Before those that came later, as it is the next of its key.
      this.#waiting.unshift(next);
    } else if (lane.running === 0) this.#lanes.delete(id);
  }

  #leave({ state, result, key, time, epoch }: AsyncEntry): void {
    if (state === 'done') {
      this.#results.push(result);
      this.#keys.push(key);
      if (this.#bindings.times !== undefined) this.#times.push(time ?? Number.NEGATIVE_INFINITY);
    }
    this.#heldTimes.left(epoch);
  }

  #giveInOrder(): void {
    const entries = this.#entries;
    while (this.#head < entries.length) {
      const entry = entries[this.#head]!;
      if (entry.state === 'waiting' || entry.state === 'running') break;
      this.#head++;
      this.#leave(entry);
    }
    if (this.#head === entries.length) {
      this.#entries = [];
      this.#head = 0;
    } else if (this.#head >= LEAST_BUFFER && this.#head * 2 >= entries.length) {
      this.#entries = entries.slice(this.#head);
      this.#head = 0;
    }
  }

  #notify(): void {
    if (this.#wakeLinked !== undefined) {
      this.#wakeLinked();
      this.#wakeLinked = undefined;
      return;
    }
    if (this.#notified) return;
    this.#notified = true;
    this.#host.ready();
  }

  #abortAll(): void {
    const reason = new SageError('SAGE_JOB_CANCELED', 'the job is over');
    for (const { entry, stopTimer } of this.#slots) {
      stopTimer?.();
      entry?.current.abort(reason);
    }
    this.#wakeLinked?.();
  }
}

function stepOf({ value, key, time, state, result }: AsyncEntry): SavedCall {
  return state === 'done' ? { key, time, result, isDone: true } : { key, time, record: value, isDone: false };
}
