import type { StageNode } from '../../compiler/physical-plan.ts';
import { leaf, numbersTuple } from '../../compiler/layout/layout.ts';
import { windowSpec } from '../../compiler/execution/window-spec.ts';
import { windowKeeper } from '../../compiler/windows.ts';
import type { PartOwner } from '../checkpoint/part-owner.ts';
import type { StatePart } from '../checkpoint/state-part.ts';
import { ownValuePart } from '../checkpoint/value-parts.ts';
import type { BuiltinAggregator } from '../../functions/aggregator.ts';
import type { BatchReader, LayoutCache } from '../codec/batch-reader.ts';
import { BatchWriter } from '../codec/batch-writer.ts';
import { imageTimes } from '../codec/image-times.ts';
import { WINDOWS_DONE, WINDOWS_LATE, WINDOWS_PROGRAM, WINDOWS_RESULTS, type Core } from '../native/core.ts';
import { readAggregateInput } from './builtin-state.ts';
import { CoreWindows } from './core-windows.ts';
import { type KeyedOperator, type KeyedResults, RESULT_ROWS } from './keyed-operator.ts';
import type { Pushed } from './linked-node.ts';
import { makeWindowTriggers } from './make-window-triggers.ts';
import { Quota } from './quota.ts';
import { readWindowResults } from './read-window-results.ts';
import type { StageBindings } from './stage-bindings.ts';
import type { StreamTime, TimeConsumer } from './stage-times.ts';
import type { AnyTrigger } from './trigger-calls.ts';
import { NO_ROWS, type ProgramHost, type ProgramRows, WindowProgram } from './window-program.ts';
import type { TriggerProgress } from './saved-triggers.ts';
import { windowValuesPart } from './window-values-part.ts';
import { type WindowValues, makeWindowValues } from './window-values.ts';
import { withTime } from './with-time.ts';

/** `setTimeout` takes no more. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** How far time is in one instance, in a checkpoint. */
interface SavedTime {
  readonly watermark: number;
  readonly triggers: TriggerProgress | undefined;
}

/** What the core was given, and has not done yet. */
type Piece = { isBegun: boolean; readonly nowMs: number } & (
  | { readonly kind: 'batch'; readonly rows: ProgramRows; readonly times: Float64Array | undefined }
  /** Event time, behind the batches before it; or the clock. */
  | { readonly kind: 'time' | 'clock'; readonly time: StreamTime }
  | { readonly kind: 'end' }
);

/**
 * The windows of one task. The core decides per batch which rows belong together and what is due (docs/internals/windows.md); what windows
 * hold is kept there as well, or here, as `windowKeeper` says. Batches, watermarks and results keep their order, though the core may work on them while
 * this thread makes the next batch.
 */
export class WindowOperator implements KeyedOperator, TimeConsumer {
  keys: unknown[] = [];
  records: unknown[] = [];
  readonly writer: BatchWriter;
  readonly #node: StageNode;
  readonly #op: Extract<StageNode['op'], { kind: 'window' }>;
  readonly #bindings: StageBindings;
  readonly #windows: CoreWindows;
  readonly #layouts: LayoutCache;
  /** Of built-in aggregators in the core. */
  readonly #inputs: readonly BuiltinAggregator<never, unknown>[] | undefined;
  /** What is kept here and not in the core. */
  readonly #values: WindowValues | undefined;
  readonly #program: WindowProgram | undefined;
  readonly #keepsRecords: boolean;
  readonly #quota = new Quota();
  /** Oldest first. */
  readonly #given: Piece[] = [];
  /** What is to go below, in this order. */
  readonly #out: (KeyedResults | { readonly kind: 'time'; readonly time: StreamTime })[] = [];
  #results: unknown[] = [];
  #times: number[] = [];
  /** All that was given is to be done before anything else comes. */
  #settles = false;
  /** The end of time, to be said below when the input has ended. */
  #end: StreamTime | undefined;
  /** As it was told to the core. */
  #watermark = Number.NEGATIVE_INFINITY;
  /** When the clock is to be told to the core, in epoch milliseconds. */
  #nextTickMs = Number.POSITIVE_INFINITY;
  /** The clock was told: it need not be told again before that is done. */
  #isClockTold = false;
  #finished = false;

  /** A thread that helps makes results come at times that nobody can tell beforehand; one comes only where it `mayHelp`. */
  constructor(node: StageNode, bindings: StageBindings, core: Core, job: number, layouts: LayoutCache, mayHelp: boolean, trigger?: AnyTrigger) {
    const { op } = node;
    if (op.kind !== 'window') throw new TypeError(`operator '${op.kind}' has no windows`);
    this.#node = node;
    this.#op = op;
    this.#bindings = bindings;
    this.#layouts = layouts;
    const { result, settings, keyed, time } = op;
    const keeper = windowKeeper(result, settings);
    const spec = result.kind === 'aggregate' ? result.spec : {};
    this.#inputs = keeper === 'core' ? (Object.values(spec) as BuiltinAggregator<never, unknown>[]).filter((aggregator) => aggregator.input !== undefined) : undefined;
    this.#keepsRecords = keeper !== 'core' || settings.lateTag !== undefined;
    this.#windows = new CoreWindows(core, job, JSON.stringify(windowSpec(op, keeper)), mayHelp && !this.#usesClock && trigger === undefined, layouts);
    if (keeper !== 'core') {
      this.#values = makeWindowValues(op, keeper, bindings, node.id);
      this.#program = new WindowProgram(this.#values, this.#programHost(), trigger && makeWindowTriggers(trigger, node, bindings, core, job));
    }
    this.writer = new BatchWriter({
      registry: layouts.registry,
      keyed,
      timed: time === 'event',
      encoding: 'columns',
      row: this.#inputs === undefined ? leaf('nil') : numbersTuple(this.#inputs.length),
      deliver: (image, rows) => this.#deliver(image, rows),
    });
  }

  /** Windows by key, what they hold where that is kept here, and how far time is. */
  stateParts(owner: PartOwner): StatePart[] {
    const parts = [this.#timePart(owner), ...this.#windows.stateParts(owner)];
    if (this.#values !== undefined) parts.push(windowValuesPart(owner, { windows: this.#windows, values: this.#values, program: this.#program!, keyed: this.#op.keyed }));
    return parts;
  }

  #timePart(owner: PartOwner): StatePart {
    const triggers = this.#program?.triggers;
    return ownValuePart<SavedTime>(owner, {
      name: 'time',
      describe: () => 'the watermark',
      save: () => ({ watermark: this.#watermark, triggers: triggers?.progress }),
      restore: (saved) => {
        this.#watermark = Math.min(...saved.map(({ value }) => value.watermark));
        triggers?.restoreProgress(saved.flatMap(({ value }) => value.triggers ?? []));
        // When the clock is to be told, the core says when it is told.
        if (this.#usesClock) this.#nextTickMs = Number.NEGATIVE_INFINITY;
      },
    });
  }

  #programHost(): ProgramHost {
    return {
      emit: (result, { end }) => {
        this.#results.push(result);
        this.#times.push(Math.ceil(end) - 1);
      },
      recover: (error, record, key, again) =>
        this.#bindings.linked[this.#node.id]!.recovery.recover(error, record, key, 'threw', async () => again()),
    };
  }

  #deliver(image: Buffer, rows: number): void {
    const whole = this.records.length === rows;
    if (!this.#keepsRecords) this.#take(image, NO_ROWS);
    else this.#take(image, whole ? { keys: this.keys, records: this.records } : { keys: this.keys.slice(0, rows), records: this.records.slice(0, rows) });
    if (this.#keepsRecords) {
      this.keys = whole ? [] : this.keys.slice(rows);
      this.records = whole ? [] : this.records.slice(rows);
    }
  }

  /** A batch of the exchange whose columns are the inputs: it goes to the core as it is. */
  updateFromImage(image: Uint8Array): void {
    this.#take(Buffer.from(image.buffer, image.byteOffset, image.length), NO_ROWS);
  }

  #take(image: Buffer, rows: ProgramRows): void {
    const nowMs = this.#bindings.clock.now();
    const { settings, time } = this.#op;
    // Of late records that somebody takes: the image is the writer's.
    const times = settings.lateTag !== undefined && time === 'event' ? imageTimes(image, this.#layouts).slice() : undefined;
    this.#given.push({ kind: 'batch', isBegun: false, nowMs, rows, times });
    this.#windows.give(image, nowMs);
    if (this.#windows.isPressing) this.#bindings.control.stop = true;
  }

  #noteLate(rows: readonly number[], { rows: { records, keys }, times }: Extract<Piece, { kind: 'batch' }>): void {
    if (this.#op.settings.lateTag === undefined) return;
    this.#out.push({ kind: 'late', records: rows.map((row) => records[row]), keys: rows.map((row) => keys[row]), times: times === undefined ? undefined : rows.map((row) => times[row]!) });
  }

  #noteCounts(): void {
    const [late, gaps, , nextTickMs] = this.#windows.counts as unknown as [number, number, number, number];
    const { id } = this.#node;
    this.#bindings.late[id] = late;
    const { assigner } = this.#op.settings;
    if (assigner.kind === 'sliding' && assigner.slideMs > assigner.sizeMs) this.#bindings.dropped[id] = gaps;
    if (this.#usesClock) this.#nextTickMs = this.#finished ? Number.POSITIVE_INFINITY : nextTickMs;
  }

  get #goesByTime(): boolean {
    const { settings, time } = this.#op;
    return time === 'event' && settings.assigner.kind !== 'count' && settings.assigner.kind !== 'global';
  }

  get #usesClock(): boolean {
    const { settings, time } = this.#op;
    const { trigger } = settings;
    return time === 'processing' || trigger.kind === 'processingTime' || (trigger.kind === 'early' && trigger.early.kind === 'processingTime');
  }

  timeChanged(time: StreamTime): void {
    this.writer.flush();
    this.#tell('time', time);
    this.#bindings.control.stop = true;
  }

  #tell(kind: 'time' | 'clock', time: StreamTime): void {
    const nowMs = this.#bindings.clock.now();
    this.#watermark = Math.max(this.#watermark, time.watermark);
    this.#given.push({ kind, isBegun: false, nowMs, time });
    this.#windows.advance(this.#watermark, nowMs);
  }

  get hasWork(): boolean {
    return this.#out.length > 0 || this.#program?.isRunning === true || this.#mayTake;
  }

  get #mayTake(): boolean {
    return this.#windows.isBusy && (this.#settles || this.#windows.isReady);
  }

  work(): Pushed {
    for (;;) {
      if (this.#program?.isRunning === true) return this.#runProgram(this.#program);
      if (this.#out.length > 0 || !this.#mayTake) return undefined;
      const piece = this.#given[0]!;
      if (piece.isBegun) this.#takeOutcome(piece);
      else this.#begin(piece);
    }
  }

  /** What the trigger of the user has to know before anything that comes of the piece. */
  #begin(piece: Piece): void {
    piece.isBegun = true;
    const triggers = this.#program?.triggers;
    if (piece.kind === 'batch') triggers?.rowsAt(piece.nowMs);
    else if (piece.kind === 'end') triggers?.finish();
    else triggers?.advance(piece.time.watermark, piece.nowMs);
  }

  #takeOutcome(piece: Piece): void {
    switch (this.#windows.take(this.#settles)) {
      case WINDOWS_RESULTS:
        this.#out.push({ kind: 'windows', reader: this.#windows.results() });
        break;
      case WINDOWS_PROGRAM:
        this.#program!.load(this.#windows.program(), piece.kind === 'batch' ? piece.rows : NO_ROWS);
        break;
      case WINDOWS_LATE:
        this.#noteLate(this.#windows.lateRows(), piece as Extract<Piece, { kind: 'batch' }>);
        break;
      case WINDOWS_DONE:
        this.#done(piece);
        break;
      default:
        break;
    }
  }

  #done(piece: Piece): void {
    this.#given.shift();
    this.#settles &&= this.#windows.isBusy;
    this.#noteCounts();
    this.#program?.triggers?.flush();
    if (piece.kind === 'time') {
      // Windows that do not go by event time give what is open when the input has ended: time ends behind that.
      if (piece.time.watermark === Number.POSITIVE_INFINITY && !this.#goesByTime && !this.#finished) this.#end = piece.time;
      else this.#out.push({ kind: 'time', time: piece.time });
    } else if (piece.kind === 'clock') this.#isClockTold = false;
    else if (piece.kind === 'end' && this.#end !== undefined) this.#out.push({ kind: 'time', time: this.#end });
  }

  #runProgram(program: WindowProgram): Pushed {
    const steps = this.#quota.rows;
    const startMs = this.#bindings.pace.nowMs();
    const worked = program.run(steps);
    if (worked !== undefined) return worked;
    this.#quota.measured(this.#bindings.pace.nowMs() - startMs, steps);
    if (this.#results.length > 0 && (!program.isRunning || this.#results.length >= RESULT_ROWS)) this.#outResults();
    return undefined;
  }

  #outResults(): void {
    this.#out.push({ kind: 'records', records: this.#results, times: this.#times });
    this.#results = [];
    this.#times = [];
  }

  takeResults(): KeyedResults | undefined {
    for (;;) {
      const next = this.#out.shift();
      if (next?.kind !== 'time') return next;
      const { watermark, isIdle } = next.time;
      // Results have whole milliseconds: a fraction more would make the next one late.
      this.#bindings.times?.say(this.#node.id, Math.floor(watermark), isIdle);
    }
  }

  giveBack(reader: BatchReader): void {
    this.#windows.giveBack(reader);
  }

  flush(): void {
    this.writer.flush();
    this.#settles = this.#windows.isBusy;
  }

  emitChanged(): void {
    if (this.#bindings.clock.now() < this.#nextClockMs || this.#finished || this.#isClockTold) return;
    this.#nextTickMs = Number.POSITIVE_INFINITY;
    this.#isClockTold = true;
    this.#tell('clock', { watermark: this.#watermark, isIdle: false });
  }

  dueInMs(): number | undefined {
    const nextMs = this.#nextClockMs;
    return nextMs === Number.POSITIVE_INFINITY ? undefined : Math.min(MAX_DELAY_MS, Math.max(0, nextMs - this.#bindings.clock.now()));
  }

  get #nextClockMs(): number {
    return Math.min(this.#nextTickMs, this.#program?.triggers?.nextClockMs ?? Number.POSITIVE_INFINITY);
  }

  /** The input has ended: everything that is open is due. Whether that was not known yet. */
  finish(): boolean {
    if (this.#finished) return false;
    this.#finished = true;
    this.#nextTickMs = Number.POSITIVE_INFINITY;
    this.#given.push({ kind: 'end', isBegun: false, nowMs: this.#bindings.clock.now() });
    this.#windows.finish();
    this.#settles = true;
    return true;
  }

  drain(): undefined {
    return undefined;
  }

  push(value: unknown, key: unknown): Pushed {
    const { control } = this.#bindings;
    let row: unknown = null;
    try {
      if (this.#op.input === 'extracted') row = value;
      else if (this.#inputs !== undefined) row = this.#inputs.map((aggregator, n) => this.#input(aggregator, n, value));
    } catch (error) {
      return this.recover(error, value, key);
    }
    const stopped = control.stop;
    try {
      if (this.#keepsRecords) {
        this.keys.push(key);
        this.records.push(value);
      }
      this.writer.append(row, key, control.time);
    } catch (error) {
      throw control.failed(error, this.#node.id, [value], 0);
    }
    if (!this.hasWork) return undefined;
    control.stop = stopped;
    return this.#workOff();
  }

  recover(error: unknown, value: unknown, key: unknown): Pushed {
    return this.#bindings.linked[this.#node.id]!.recovery.recover(error, value, key, 'threw', async () => {
      const time = this.#bindings.control.time;
      for (const [n, aggregator] of (this.#inputs ?? []).entries()) this.#input(aggregator, n, value);
      return () => withTime(this.#bindings.control, time, () => this.push(value, key));
    });
  }

  #input(aggregator: BuiltinAggregator<never, unknown>, n: number, value: unknown): number | undefined {
    const input = readAggregateInput(aggregator, value);
    if (typeof input === 'number' || input === undefined || input === null) return input ?? undefined;
    return this.#bindings.control.badInput(this.#node.id, n, input, value);
  }

  /** The linked form: works on all there is, and gives results below at once. */
  async #workOff(): Promise<void> {
    const { counts, linked, control } = this.#bindings;
    while (this.hasWork) {
      const worked = this.work();
      if (worked !== undefined) await worked;
      for (let results = this.takeResults(); results !== undefined; results = this.takeResults()) {
        for (const { node, record, key, time } of readWindowResults(this.#node, results)) {
          counts[node]!++;
          const pushed = withTime(control, time, () => linked[node]!.emit(record, key));
          if (pushed !== undefined) await pushed;
        }
        if (results.kind === 'windows') this.giveBack(results.reader);
      }
      control.checkNotOver();
    }
  }

  close(): void {
    this.#windows.close();
    this.#program?.triggers?.close();
  }
}
