import type { StageNode } from '../../compiler/physical-plan.ts';
import { leaf, numbersTuple } from '../../compiler/layout/layout.ts';
import { windowKeeper } from '../../compiler/windows.ts';
import type { BuiltinAggregator } from '../../functions/aggregator.ts';
import { BatchReader, type LayoutCache } from '../codec/batch-reader.ts';
import { BatchWriter } from '../codec/batch-writer.ts';
import { imageTimes } from '../codec/image-times.ts';
import type { Core } from '../native/core.ts';
import { readAggregateInput } from './builtin-state.ts';
import { type KeyedOperator, type KeyedResults, RESULT_ROWS } from './keyed-operator.ts';
import type { Pushed } from './linked-node.ts';
import { Quota } from './quota.ts';
import { linkRows } from './segment-functions.ts';
import type { StageBindings } from './stage-bindings.ts';
import type { StreamTime, TimeConsumer } from './stage-times.ts';
import { type ProgramHost, WindowProgram } from './window-program.ts';
import { windowSpec } from './window-spec.ts';
import { makeWindowValues } from './window-values.ts';
import { withTime } from './with-time.ts';

const NO_TIMES = new Float64Array(0);

/** A closed batch of rows, from `next` on not yet in any window. */
interface Batch {
  readonly kind: 'batch';
  readonly image: Buffer;
  readonly rows: number;
  readonly keys: readonly unknown[];
  readonly records: readonly unknown[];
  next: number;
}

/** Event time, behind the batches before it; or the clock. */
interface Advance {
  readonly kind: 'time' | 'clock';
  readonly time: StreamTime;
}

/**
 * The windows of one task. The core decides per batch which rows belong together and what is due (docs/internals/windows.md); what windows
 * hold is kept there as well, or here, as `windowKeeper` says. Batches, watermarks and results keep their order.
 */
export class WindowOperator implements KeyedOperator, TimeConsumer {
  keys: unknown[] = [];
  records: unknown[] = [];
  readonly writer: BatchWriter;
  readonly #node: StageNode;
  readonly #op: Extract<StageNode['op'], { kind: 'window' }>;
  readonly #bindings: StageBindings;
  readonly #core: Core;
  readonly #layouts: LayoutCache;
  readonly #handle: number;
  /** Of built-in aggregators in the core. */
  readonly #inputs: readonly BuiltinAggregator<never, unknown>[] | undefined;
  readonly #program: WindowProgram | undefined;
  readonly #keepsRecords: boolean;
  readonly #quota = new Quota();
  readonly #desc = new Int32Array(4);
  readonly #counts = new Float64Array(4);
  readonly #free: BatchReader[] = [];
  readonly #queue: (Batch | Advance)[] = [];
  /** What is to go below, in this order. */
  readonly #out: (KeyedResults | { readonly kind: 'time'; readonly time: StreamTime })[] = [];
  #late = new Int32Array(2048);
  #results: unknown[] = [];
  #times: number[] = [];
  /** The core may have something that is due. */
  #mayBeDue = false;
  /** Whose rows the program at hand speaks of. */
  #batch: Batch | undefined;
  /** To be said below when all that is due has gone there. */
  #behind: StreamTime | undefined;
  #watermark = Number.NEGATIVE_INFINITY;
  /** When the clock is to be told to the core, in epoch milliseconds. */
  #nextTickMs = Number.POSITIVE_INFINITY;
  #finished = false;

  constructor(node: StageNode, bindings: StageBindings, core: Core, job: number, layouts: LayoutCache) {
    const { op } = node;
    if (op.kind !== 'window') throw new TypeError(`operator '${op.kind}' has no windows`);
    this.#node = node;
    this.#op = op;
    this.#bindings = bindings;
    this.#core = core;
    this.#layouts = layouts;
    const { result, settings, keyed, time } = op;
    const keeper = windowKeeper(result, settings);
    const spec = result.kind === 'aggregate' ? result.spec : {};
    this.#inputs = keeper === 'core' ? (Object.values(spec) as BuiltinAggregator<never, unknown>[]).filter((aggregator) => aggregator.input !== undefined) : undefined;
    this.#keepsRecords = keeper !== 'core' || settings.lateTag !== undefined;
    this.#handle = core.windowsCreate(job, JSON.stringify(windowSpec(op, keeper)));
    if (keeper !== 'core') this.#program = new WindowProgram(core, this.#handle, makeWindowValues(op, keeper, bindings, node.id), this.#programHost());
    this.writer = new BatchWriter({
      registry: layouts.registry,
      keyed,
      timed: time === 'event',
      encoding: 'columns',
      row: this.#inputs === undefined ? leaf('nil') : numbersTuple(this.#inputs.length),
      deliver: (image, rows) => this.#deliver(image, rows),
    });
  }

  #programHost(): ProgramHost {
    return {
      emit: (result, { end }) => {
        this.#results.push(result);
        this.#times.push(Math.ceil(end) - 1);
      },
      recover: (error, record, key, again) =>
        this.#bindings.linked[this.#node.id]!.recovery.recover(error, record, key, 'threw', async () => {
          again();
          return () => undefined;
        }),
    };
  }

  #deliver(image: Buffer, rows: number): void {
    const whole = this.records.length === rows;
    const [keys, records] = this.#keepsRecords ? (whole ? [this.keys, this.records] : [this.keys.slice(0, rows), this.records.slice(0, rows)]) : [[], []];
    if (this.#keepsRecords) {
      this.keys = whole ? [] : this.keys.slice(rows);
      this.records = whole ? [] : this.records.slice(rows);
    }
    this.#take(image, rows, keys, records);
  }

  /** A batch of the exchange whose columns are the inputs: it goes to the core as it is. */
  updateFromImage(image: Uint8Array, rows: number): void {
    this.#take(Buffer.from(image.buffer, image.byteOffset, image.length), rows, [], []);
  }

  #take(image: Buffer, rows: number, keys: readonly unknown[], records: readonly unknown[]): void {
    const batch = { rows, keys, records, next: 0 };
    if (rows >= this.#late.length) this.#late = new Int32Array(rows * 2);
    // The image is the writer's: what does not get through at once is copied.
    if (this.#program === undefined && !this.hasWork && this.#add({ kind: 'batch', image, ...batch })) return;
    const copy = Buffer.from(new ArrayBuffer(image.length));
    image.copy(copy);
    this.#queue.push({ kind: 'batch', image: copy, ...batch, next: this.#added });
    this.#bindings.control.stop = true;
  }

  /** Rows of the batch that was added last that the core has taken. */
  #added = 0;

  /** Gives the core the rows of a batch from `next` on, until so much is due that it has to be taken first; whether that was all. */
  #add(batch: Batch): boolean {
    this.#added = this.#core.windowsAdd(this.#handle, batch.image, this.#timesOf(batch.image), batch.next, this.#bindings.clock.now(), this.#late);
    batch.next = this.#added;
    this.#mayBeDue = true;
    this.#noteLate(batch);
    this.#noteClock();
    const isAll = this.#added === batch.rows;
    if (isAll) this.#added = 0;
    return isAll;
  }

  #noteLate({ records, keys, image }: Batch): void {
    const count = this.#late[0]!;
    const { id } = this.#node;
    if (count > 0) {
      this.#bindings.late[id]! += count;
      if (this.#op.settings.lateTag !== undefined) {
        const rows = Array.from(this.#late.subarray(1, count + 1));
        const times = this.#op.time === 'event' ? this.#timesOf(image) : undefined;
        this.#out.push({ kind: 'late', records: rows.map((row) => records[row]), keys: rows.map((row) => keys[row]), times: times === undefined ? undefined : rows.map((row) => times[row]!) });
        this.#bindings.control.stop = true;
      }
    }
    const { assigner } = this.#op.settings;
    if (assigner.kind === 'sliding' && assigner.slideMs > assigner.sizeMs) {
      this.#core.windowsCounts(this.#handle, this.#counts);
      this.#bindings.dropped[id] = this.#counts[1]!;
    }
  }

  /** The column of event times in an image. */
  #timesOf(image: Buffer): Float64Array {
    if (this.#op.time === 'processing') return NO_TIMES;
    return imageTimes(image, this.#layouts);
  }

  #noteClock(): void {
    if (!this.#usesClock) return;
    this.#core.windowsCounts(this.#handle, this.#counts);
    this.#nextTickMs = this.#counts[3]!;
  }

  get #usesClock(): boolean {
    const { settings, time } = this.#op;
    const { trigger } = settings;
    return time === 'processing' || trigger.kind === 'processingTime' || (trigger.kind === 'early' && trigger.early.kind === 'processingTime');
  }

  timeChanged(time: StreamTime): void {
    this.writer.flush();
    this.#queue.push({ kind: 'time', time });
    this.#bindings.control.stop = true;
  }

  get hasWork(): boolean {
    return this.#queue.length > 0 || this.#out.length > 0 || this.#mayBeDue || this.#program?.isRunning === true;
  }

  work(): Pushed {
    for (;;) {
      if (this.#program?.isRunning === true) return this.#runProgram(this.#program);
      if (this.#mayBeDue) {
        this.#takeDue();
        if (this.#out.length > 0) return undefined;
        continue;
      }
      if (this.#behind !== undefined) {
        this.#out.push({ kind: 'time', time: this.#behind });
        this.#behind = undefined;
      }
      if (this.#out.length > 0) return undefined;
      const [next] = this.#queue;
      if (next === undefined) return undefined;
      if (next.kind === 'batch') {
        this.#batch = next;
        if (this.#add(next)) this.#queue.shift();
      } else {
        this.#queue.shift();
        this.#advance(next);
      }
    }
  }

  #runProgram(program: WindowProgram): Pushed {
    const steps = this.#quota.rows;
    const startMs = performance.now();
    const worked = program.run(steps);
    if (worked !== undefined) return worked;
    this.#quota.measured(performance.now() - startMs, steps);
    if (this.#results.length > 0 && (!program.isRunning || this.#results.length >= RESULT_ROWS)) this.#outResults();
    return undefined;
  }

  #outResults(): void {
    this.#out.push({ kind: 'records', records: this.#results, times: this.#times });
    this.#results = [];
    this.#times = [];
  }

  #takeDue(): void {
    if (this.#program !== undefined) {
      this.#mayBeDue = this.#program.load(this.#batch);
      return;
    }
    const reader = this.#free.pop() ?? new BatchReader(this.#layouts);
    let given = this.#core.windowsFire(this.#handle, RESULT_ROWS, reader.image, this.#desc);
    while (given === -2) {
      reader.resize(this.#desc[1]!);
      given = this.#core.windowsFire(this.#handle, RESULT_ROWS, reader.image, this.#desc);
    }
    this.#mayBeDue = given !== 0;
    if (given === 0 || this.#desc[2] === 0) {
      this.#free.push(reader);
      return;
    }
    reader.load();
    this.#out.push({ kind: 'windows', reader });
  }

  #advance({ kind, time }: Advance): void {
    if (kind === 'time') {
      this.#watermark = time.watermark;
      this.#behind = time;
    }
    this.#batch = undefined;
    this.#core.windowsAdvance(this.#handle, this.#watermark, this.#bindings.clock.now());
    this.#mayBeDue = true;
    this.#noteClock();
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
    this.#free.push(reader);
  }

  flush(): void {
    this.writer.flush();
  }

  emitChanged(): void {
    if (this.#bindings.clock.now() < this.#nextTickMs || this.#finished) return;
    this.#nextTickMs = Number.POSITIVE_INFINITY;
    this.#queue.push({ kind: 'clock', time: { watermark: this.#watermark, isIdle: false } });
  }

  dueInMs(): number | undefined {
    return this.#nextTickMs === Number.POSITIVE_INFINITY ? undefined : Math.max(0, this.#nextTickMs - this.#bindings.clock.now());
  }

  /** The input has ended: everything that is open is due. Whether that was not known yet. */
  finish(): boolean {
    if (this.#finished) return false;
    this.#finished = true;
    this.#nextTickMs = Number.POSITIVE_INFINITY;
    this.#batch = undefined;
    this.#core.windowsFinish(this.#handle);
    this.#mayBeDue = true;
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
        for (const { node, record, key, time } of this.#readResults(results)) {
          counts[node]!++;
          const pushed = withTime(control, time, () => linked[node]!.emit(record, key));
          if (pushed !== undefined) await pushed;
        }
      }
      control.checkNotOver();
    }
  }

  *#readResults(results: KeyedResults): Generator<{ node: number; record: unknown; key: unknown; time: number | undefined }> {
    const { id, sides } = this.#node;
    if (results.kind === 'late') {
      for (const { node, channel } of sides) {
        if (channel !== 'output') continue;
        for (const [n, record] of results.records.entries()) yield { node, record, key: undefined, time: results.times?.[n] };
      }
    } else if (results.kind === 'records') {
      for (const [n, record] of results.records.entries()) yield { node: id, record, key: undefined, time: results.times?.[n] };
    } else {
      const { reader } = results;
      const rows = linkRows(windowInput(this.#op, reader), reader, undefined);
      for (let row = 0; row < reader.rows; row++) yield { node: id, record: rows.record(row), key: undefined, time: rows.time?.(row) };
      this.giveBack(reader);
    }
  }

  close(): void {
    this.#core.stateDrop(this.#handle);
  }
}

/** The input form of a batch of results of windows. */
export function windowInput(op: StageNode['op'], reader: BatchReader): { readonly kind: 'windows'; readonly plan: BatchReader['known']['plan']; readonly names: readonly string[]; readonly keyed: boolean } {
  if (op.kind !== 'window' || op.result.kind !== 'aggregate') throw new TypeError(`operator '${op.kind}' has no results in columns`);
  return { kind: 'windows', plan: reader.known.plan, names: Object.keys(op.result.spec), keyed: op.keyed };
}
