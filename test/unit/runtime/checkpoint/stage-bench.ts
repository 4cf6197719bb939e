import { randomUUID } from 'node:crypto';

import type { JobId } from '../../../../ts/common/ids.ts';
import { hasInput } from '../../../../ts/compiler/codegen/aggregates.ts';
import { compile } from '../../../../ts/compiler/compile.ts';
import { numbersTuple } from '../../../../ts/compiler/layout/layout.ts';
import type { PhysicalPlan, Stage, StageOp } from '../../../../ts/compiler/physical-plan.ts';
import type { BuiltinAggregator } from '../../../../ts/functions/aggregator.ts';
import { LocalEnvironment } from '../../../../ts/index.ts';
import { BatchReader, LayoutCache } from '../../../../ts/runtime/codec/batch-reader.ts';
import { BatchWriter } from '../../../../ts/runtime/codec/batch-writer.ts';
import { KeyBytesWriter } from '../../../../ts/runtime/codec/key-bytes.ts';
import { linkDecoder } from '../../../../ts/runtime/codec/linked-decoder.ts';
import type { IsolateTask } from '../../../../ts/runtime/isolate/isolate-loop.ts';
import { type Core, TAKE_BARRIER, TAKE_BATCH, TAKE_END_DRAINED, TAKE_END_STOPPED, TAKE_NOTHING, TAKE_TIME, TAKE_TOO_SMALL } from '../../../../ts/runtime/native/core.ts';
import { readAggregateInput } from '../../../../ts/runtime/stage/builtin-state.ts';
import { type JobFacts, createTask } from '../../../../ts/runtime/stage/stage-factory.ts';
import type { VirtualClock } from '../../../../ts/testing/virtual-clock.ts';

const KEY_GROUPS = 128;
const HEAD_BYTES = 11;

/** What comes to an operator: a record of one of its inputs, a watermark, or time of the clock. */
export type BenchStep = { readonly input: number; readonly key: unknown; readonly record: unknown; readonly at: number } | { readonly watermark: number } | { readonly passMs: number };

/** A result of an operator. */
export interface BenchResult {
  readonly key: unknown;
  readonly record: unknown;
  readonly time: number | undefined;
}

type Taken = { readonly kind: 'batch'; readonly gate: number; readonly image: Buffer; readonly rows: number } | { readonly kind: 'time'; readonly gate: number; readonly watermark: number } | { readonly kind: 'barrier'; readonly isLast: boolean } | { readonly kind: 'end'; readonly isStopped: boolean };

/** The images of all tasks of an operator at a barrier. */
export interface Epoch {
  readonly parallelism: number;
  readonly images: readonly Buffer[];
}

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, child: () => silent };

/**
 * The tasks of one operator, in a stage of its own, with the core's state but without its queues: the test gives what comes, and takes what is
 * given and what is handed over at a barrier.
 */
export class StageBench {
  readonly results: BenchResult[] = [];
  readonly late: BenchResult[] = [];
  readonly #core: Core;
  readonly #job: number;
  readonly #plan: PhysicalPlan;
  readonly #stage: Stage;
  readonly #clock: VirtualClock;
  readonly #tasks: BenchTask[] = [];

  constructor(core: Core, job: number, build: (env: LocalEnvironment) => unknown, kind: StageOp['kind'], parallelism: number, clock: VirtualClock, from?: Epoch) {
    this.#core = core;
    this.#job = job;
    this.#clock = clock;
    const config = { parallelism, checkpoint: { dir: 'nowhere' } };
    const env = new LocalEnvironment('bench', config);
    build(env);
    this.#plan = compile(env.pipeline, env.config, { importable: true, cores: 8, fuse: false }).physical;
    this.#stage = this.#plan.stages.find(({ nodes }) => nodes.some(({ op }) => op.kind === kind))!;
    const facts: JobFacts = { jobId: randomUUID() as unknown as JobId, jobName: 'bench', config: env.config as unknown as JobFacts['config'], signal: new AbortController().signal, logger: silent as unknown as JobFacts['logger'], exchanges: this.#plan.exchanges };
    for (let instance = 0; instance < this.#stage.parallelism; instance++) this.#tasks.push(new BenchTask(core, job, this.#stage, instance, facts, clock, this.results, from));
  }

  get parallelism(): number {
    return this.#stage.parallelism;
  }

  /** Parts that were handed over as changes so far. */
  get changes(): readonly string[] {
    return this.#tasks.flatMap(({ changes }) => changes);
  }

  async open(): Promise<this> {
    for (const { task } of this.#tasks) await task.open();
    return this;
  }

  async do(step: BenchStep): Promise<void> {
    if ('passMs' in step) {
      this.#clock.advance(step.passMs);
      for (const task of this.#tasks) await task.drive();
    } else if ('watermark' in step) {
      for (const task of this.#tasks) {
        for (const gate of task.gates) task.queue.push({ kind: 'time', gate, watermark: step.watermark });
        await task.drive();
      }
    } else {
      const task = this.#tasks[this.#instanceOf(step.key)]!;
      const gate = task.gates[step.input % task.gates.length]!;
      task.queue.push(this.#batchOf(gate, step));
      await task.drive();
    }
  }

  #instanceOf(key: unknown): number {
    const writer = new KeyBytesWriter();
    writer.write(key);
    const bytes = writer.bytes();
    const entry = Buffer.from(new ArrayBuffer(HEAD_BYTES + bytes.length));
    entry.writeUInt32LE(bytes.length, 3);
    entry.set(bytes, HEAD_BYTES);
    this.#core.keyGroupsFill(KEY_GROUPS, entry);
    return Math.floor((entry.readUInt16LE(0) * this.parallelism) / KEY_GROUPS);
  }

  #batchOf(gate: number, { key, record, at }: Extract<BenchStep, { input: number }>): Taken {
    const input = this.#stage.nodes.find(({ op }) => op.kind === 'input' && op.gate === gate)!.op as Extract<StageOp, { kind: 'input' }>;
    const { keyed, timed, encoding } = this.#plan.exchanges[input.exchange]!;
    const inputs = this.#extractedInputs(input.exchange);
    const row = inputs && numbersTuple(inputs.length);
    const taken: Taken[] = [];
    const writer = new BatchWriter({ registry: registryOf(this.#core, this.#job), keyed, timed, encoding, row, deliver: (image, rows) => taken.push({ kind: 'batch', gate, image: Buffer.from(image), rows }) });
    writer.append(inputs === undefined ? record : inputs.map((aggregator) => readAggregateInput(aggregator, record)), keyed ? key : undefined, timed ? at : undefined);
    writer.flush();
    return taken[0]!;
  }

  /** What the operator before an aggregate of the core reads for it: only that comes through the exchange. */
  #extractedInputs(exchange: number): readonly BuiltinAggregator<never, unknown>[] | undefined {
    const before = this.#plan.stages.flatMap(({ nodes }) => nodes.filter(({ children }) => children.some((child) => isOutputTo(nodes[child]!.op, exchange))));
    const [extract] = before.flatMap(({ op }) => (op.kind === 'extract' ? [op] : []));
    return extract && Object.values(extract.spec).filter(hasInput);
  }

  /** A barrier comes to all tasks; what they hand over, with what that is on top of. */
  async barrier(isDurable = true, isLast = false): Promise<Epoch> {
    for (const task of this.#tasks) {
      task.queue.push({ kind: 'barrier', isLast });
      await task.drive();
      task.written(isDurable);
    }
    return { parallelism: this.parallelism, images: this.#tasks.map(({ images }) => images.at(-1)!) };
  }

  async end(isStopped = false): Promise<void> {
    for (const task of this.#tasks) {
      task.queue.push({ kind: 'end', isStopped });
      await task.drive();
      await task.task.close(true);
    }
  }

  /** The tasks are left as they are. */
  async abandon(): Promise<void> {
    for (const { task } of this.#tasks) {
      task.runner.leave();
      await task.close(false).catch(() => undefined);
    }
  }
}

class BenchTask {
  readonly task: IsolateTask;
  readonly queue: Taken[] = [];
  readonly images: Buffer[] = [];
  readonly gates: readonly number[];
  /** Parts that were handed over as changes. */
  readonly changes: string[] = [];
  #isReady = false;
  #epoch = 0;
  /** What the next epoch may be on top of. */
  #base = 0;

  constructor(core: Core, job: number, stage: Stage, instance: number, facts: JobFacts, clock: VirtualClock, results: BenchResult[], from: Epoch | undefined) {
    this.gates = stage.nodes.flatMap(({ op }) => (op.kind === 'input' ? [op.gate] : []));
    const layouts = new LayoutCache(registryOf(core, job));
    const reader = new BatchReader(layouts);
    const own: Partial<Core> = {
      take: (_isolate, _task, desc, into) => this.#take(desc, into),
      emit: (_isolate, _task, _output, image) => {
        if (image.length > reader.image.length) reader.resize(image.length);
        reader.image.set(image);
        reader.load();
        const { key, time, record } = linkDecoder(reader.known.plan, reader);
        for (let row = 0; row < reader.rows; row++) results.push({ key: key?.(row), record: record(row), time: time?.(row) });
        return 1;
      },
      emitTime: () => undefined,
      hasCredit: () => 1,
      keepTask: () => undefined,
      settleTask: () => undefined,
      jobStatus: () => 'running',
      checkpointRestored: () => (from === undefined ? -1 : 1),
      checkpointOperator: () => 1,
      checkpointSkipped: () => [],
      checkpointRead: (_job, operator, name, as, parallelism) => readPart(from!, operator, name, as, parallelism),
      checkpointBase: () => this.#base,
      checkpointAcknowledge: (_isolate, _task, epoch, image) => {
        if (epoch > 0) this.images.push(onTopOf(this.images.at(-1), Buffer.from(image), (part) => void this.changes.push(part)));
      },
    };
    const host = { ...core, ...own } as Core;
    this.task = createTask({ task: 0, stage, instance }, facts, job, {
      core: host,
      isolate: 0,
      layouts,
      stopping: new Promise(() => undefined),
      clock,
      schedule: undefined,
      ready: () => void (this.#isReady = true),
      worked: () => undefined,
      limitReached: () => undefined,
      onEarlyEnd: () => undefined,
      onDurable: () => undefined,
      fail: (error) => {
        throw error;
      },
    });
  }

  #take(desc: Int32Array, into: Uint8Array): number {
    const [next] = this.queue;
    if (next === undefined) return TAKE_NOTHING;
    if (next.kind === 'batch' && next.image.length > into.length) {
      desc[1] = next.image.length;
      return TAKE_TOO_SMALL;
    }
    this.queue.shift();
    const numbers = new Float64Array(desc.buffer);
    switch (next.kind) {
      case 'batch':
        into.set(next.image);
        desc.set([next.gate, next.image.length, next.rows]);
        return TAKE_BATCH;
      case 'time':
        desc.set([next.gate, 0]);
        numbers[1] = next.watermark;
        return TAKE_TIME;
      case 'barrier':
        desc[0] = next.isLast ? 1 : 0;
        numbers[1] = ++this.#epoch;
        return TAKE_BARRIER;
      case 'end':
        return next.isStopped ? TAKE_END_STOPPED : TAKE_END_DRAINED;
    }
  }

  /** What was handed over last is durable, or is not. */
  written(isDurable: boolean): void {
    if (isDurable) this.#base = this.#epoch;
    else {
      // Nobody has what was in it: what is on top of it is on top of nothing.
      this.#base = 0;
      this.images.length = 0;
    }
  }

  /** Works until nothing is left. */
  async drive(): Promise<void> {
    const { runner } = this.task;
    for (;;) {
      this.#isReady = false;
      const result = await runner.step();
      if (result === 'finished') return;
      if (result === 'more' || this.queue.length > 0 || this.#isReady) continue;
      // Results of promises that have settled meanwhile.
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#isReady) continue;
      runner.flush();
      return;
    }
  }
}

function isOutputTo(op: StageOp, exchange: number): boolean {
  return op.kind === 'output' && op.exchange === exchange;
}

function registryOf(core: Core, job: number): ConstructorParameters<typeof LayoutCache>[0] {
  return {
    internLayout: (text) => core.internLayout(job, text),
    layoutText: (id) => core.layoutText(job, id),
    internShape: (text) => core.internShape(job, text),
    shapeText: (id) => core.shapeText(job, id),
  };
}

/** As the core reads a part out of an epoch. */
function readPart({ parallelism: before, images }: Epoch, operator: string, name: string, instance: number, parallelism: number): Uint8Array {
  const own: Buffer[] = [];
  const entries: Buffer[] = [];
  let kind = 0;
  images.forEach((image, old) => {
    for (const part of partsOf(image)) {
      if (part.operator !== operator || part.name !== name) continue;
      ({ kind } = part);
      if (part.kind === 1) {
        const head = Buffer.alloc(12);
        head.writeUInt32LE(old, 0);
        head.writeUInt32LE(before, 4);
        head.writeUInt32LE(part.payload.length, 8);
        own.push(head, part.payload);
      } else entries.push(...entriesOf(part.payload, instance, parallelism));
    }
  });
  if (kind === 0) return Buffer.from([0]);
  if (kind === 2) return Buffer.concat([Buffer.from([2]), ...entries]);
  const count = Buffer.alloc(4);
  count.writeUInt32LE(own.length / 2);
  return Buffer.concat([Buffer.from([1]), count, ...own]);
}

interface BenchPart {
  readonly operator: string;
  readonly name: string;
  readonly kind: number;
  readonly isFull: boolean;
  readonly payload: Buffer;
}

/** An image of which each part stands alone: changes are put on top of the parts of the image before. */
function onTopOf(before: Buffer | undefined, image: Buffer, changed: (part: string) => void): Buffer {
  const parts = [...partsOf(image)].map((part) => {
    if (part.isFull) return part;
    changed(part.name);
    const below = [...partsOf(before!)].find(({ operator, name }) => operator === part.operator && name === part.name)!;
    const entries = new Map<string, Buffer>();
    for (const entry of [...entriesOf(below.payload, 0, 1), ...entriesOf(part.payload, 0, 1)]) {
      const key = entry.toString('latin1', HEAD_BYTES, HEAD_BYTES + entry.readUInt32LE(3));
      if (entry[2] === 1) entries.delete(key);
      else entries.set(key, entry);
    }
    return { ...part, isFull: true, payload: Buffer.concat([...entries.values()]) };
  });
  const u32 = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes;
  };
  const sized = (bytes: Buffer): readonly Buffer[] => [u32(bytes.length), bytes];
  return Buffer.concat([u32(parts.length), ...parts.flatMap(({ operator, name, kind, payload }) => [...sized(Buffer.from(operator)), ...sized(Buffer.from(name)), Buffer.from([kind, 1]), ...sized(payload)])]);
}

function* partsOf(image: Buffer): Generator<BenchPart> {
  let at = 4;
  const sized = (): Buffer => {
    const length = image.readUInt32LE(at);
    at += 4 + length;
    return image.subarray(at - length, at);
  };
  for (let count = image.readUInt32LE(0); count > 0; count--) {
    const operator = sized().toString();
    const name = sized().toString();
    const kind = image[at]!;
    const isFull = image[at + 1] === 1;
    at += 2;
    yield { operator, name, kind, isFull, payload: sized() };
  }
}

function entriesOf(bytes: Buffer, instance: number, parallelism: number): Buffer[] {
  const own: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + HEAD_BYTES + bytes.readUInt32LE(at + 3) + bytes.readUInt32LE(at + 7);
    if (Math.floor((bytes.readUInt16LE(at) * parallelism) / KEY_GROUPS) === instance) own.push(bytes.subarray(at, end));
    at = end;
  }
  return own;
}
