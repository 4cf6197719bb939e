import { SageError } from '../../common/errors.ts';
import { numbersTuple } from '../../compiler/layout/layout.ts';
import type { BuiltinAggregator } from '../../functions/aggregator.ts';
import type { StageNode } from '../../compiler/physical-plan.ts';
import type { PartOwner } from '../checkpoint/part-owner.ts';
import type { StatePart } from '../checkpoint/state-part.ts';
import { BatchReader, type LayoutCache } from '../codec/batch-reader.ts';
import { BatchWriter } from '../codec/batch-writer.ts';
import type { Core } from '../native/core.ts';
import { emitRecords } from './emit-records.ts';
import { type KeyedOperator, type KeyedResults, RESULT_ROWS } from './keyed-operator.ts';
import { readAggregateInput } from './builtin-state.ts';
import type { Pushed } from './linked-node.ts';
import type { StageBindings } from './stage-bindings.ts';
import { aggregateSpecs } from '../../compiler/execution/aggregate-specs.ts';

const INITIAL_RESULT_BYTES = 64 * 1024;

/** A keyed aggregate of numbers: the core does everything, batch by batch. */
export class NativeAggregate implements KeyedOperator {
  keys: unknown[] = [];
  records: unknown[] = [];
  readonly writer: BatchWriter;
  readonly #node: StageNode;
  readonly #bindings: StageBindings;
  readonly #core: Core;
  readonly #layouts: LayoutCache;
  readonly #handle: number;
  readonly #update: boolean;
  readonly #inputs: readonly BuiltinAggregator<never, unknown>[];
  readonly #extracted: boolean;
  readonly #desc = new Int32Array(8);
  /** Keys of batches whose running results the core still has, oldest first. */
  readonly #sent: unknown[][] = [];
  readonly #running: { reader: BatchReader; keys: unknown[] }[] = [];
  readonly #free: BatchReader[] = [];
  #nextSlot = 0;
  #drained: BatchReader | undefined;

  constructor(
    node: StageNode,
    spec: Readonly<Record<string, BuiltinAggregator<never, unknown>>>,
    emit: 'final' | 'update',
    input: 'record' | 'extracted',
    bindings: StageBindings,
    core: Core,
    job: number,
    layouts: LayoutCache,
  ) {
    this.#node = node;
    this.#bindings = bindings;
    this.#core = core;
    this.#layouts = layouts;
    this.#update = emit === 'update';
    this.#extracted = input === 'extracted';
    this.#inputs = Object.values(spec).filter((aggregator) => aggregator.input !== undefined);
    this.#handle = core.aggregateCreate(job, JSON.stringify(aggregateSpecs(spec)));
    this.writer = new BatchWriter({
      registry: layouts.registry,
      keyed: true,
      encoding: 'columns',
      row: numbersTuple(this.#inputs.length),
      deliver: (image, rows) => this.#deliver(image, rows),
    });
  }

  #deliver(image: Buffer, rows: number): void {
    if (!this.#update) {
      this.#core.aggregateUpdate(this.#handle, image);
      return;
    }
    // A record whose layout did not fit closes the batch before it: its key is already in the list.
    this.#sent.push(this.keys.length === rows ? this.keys : this.keys.slice(0, rows));
    this.keys = this.keys.length === rows ? [] : this.keys.slice(rows);
    for (let ready = this.#core.aggregateUpdateEmit(this.#handle, image); ready > 0; ready--) this.#takeRunning();
  }

  /** Takes the running results of the oldest batch that was sent. */
  #takeRunning(): void {
    const reader = this.#free.pop() ?? new BatchReader(this.#layouts);
    let written = this.#core.aggregateTakeResults(this.#handle, reader.image);
    if (written < 0) {
      reader.resize(-written);
      written = this.#core.aggregateTakeResults(this.#handle, reader.image);
    }
    if (written === 0) throw new SageError('SAGE_INTERNAL', 'the core has lost the running results of a batch');
    reader.load();
    this.#running.push({ reader, keys: this.#sent.shift()! });
    this.#bindings.control.stop = true;
  }

  /** A batch of the exchange whose columns are the inputs: it goes to the core as it is. */
  updateFromImage(image: Uint8Array): void {
    this.#core.aggregateUpdate(this.#handle, image);
  }

  push(value: unknown, key: unknown): Pushed {
    let record: unknown;
    try {
      record = this.#read(value);
    } catch (error) {
      return this.recover(error, value, key);
    }
    return this.#add(record, value, key);
  }

  recover(error: unknown, value: unknown, key: unknown): Pushed {
    return this.#bindings.linked[this.#node.id]!.recovery.recover(error, value, key, 'threw', async () => {
      const again = this.#read(value);
      return () => this.#add(again, value, key);
    });
  }

  /** What the core takes of a record. */
  #read(value: unknown): unknown {
    return this.#extracted ? value : this.#inputs.map((aggregator, n) => this.#input(aggregator, n, value));
  }

  #add(record: unknown, value: unknown, key: unknown): Pushed {
    const { control } = this.#bindings;
    // A batch that is closed here is worked on at once; an output above may want to stop for want of credit.
    const stopped = control.stop;
    try {
      if (this.#update) this.keys.push(key);
      this.writer.append(record, key);
      if (this.#update) this.flush();
    } catch (error) {
      throw control.failed(error, this.#node.id, [value], 0);
    }
    if (this.#running.length === 0) return undefined;
    control.stop = stopped;
    const records: unknown[] = [];
    for (let results = this.takeResults(); results !== undefined; results = this.takeResults()) {
      for (const record of this.#bindings.readResults(this.#node.id, results)) records.push(record);
      this.giveBack(results.reader);
    }
    return emitRecords(records, this.#node.id, this.#bindings);
  }

  #input(aggregator: BuiltinAggregator<never, unknown>, n: number, value: unknown): number | undefined {
    const input = readAggregateInput(aggregator, value);
    if (typeof input === 'number' || input === undefined || input === null) return input ?? undefined;
    return this.#bindings.control.badInput(this.#node.id, n, input, value);
  }

  get hasWork(): boolean {
    return this.#running.length > 0;
  }

  work(): Pushed {
    return undefined;
  }

  takeResults(): Extract<KeyedResults, { kind: 'running' }> | undefined {
    const next = this.#running.shift();
    return next === undefined ? undefined : { kind: 'running', ...next };
  }

  giveBack(reader: BatchReader): void {
    if (reader !== this.#drained) this.#free.push(reader);
  }

  flush(): void {
    this.writer.flush();
    while (this.#sent.length > 0) this.#takeRunning();
  }

  drain(): KeyedResults | undefined {
    if (this.#update) return undefined;
    this.#drained ??= new BatchReader(this.#layouts);
    if (this.#nextSlot < 0) return undefined;
    let next = this.#core.aggregateDrain(this.#handle, this.#nextSlot, RESULT_ROWS, this.#drained.image, this.#desc);
    while (next === -2) {
      this.#drained.resize(Math.max(INITIAL_RESULT_BYTES, this.#desc[1]!));
      next = this.#core.aggregateDrain(this.#handle, this.#nextSlot, RESULT_ROWS, this.#drained.image, this.#desc);
    }
    const rows = this.#desc[2]!;
    this.#nextSlot = next;
    if (rows === 0) return undefined;
    this.#drained.load();
    return { kind: 'results', reader: this.#drained };
  }

  /** Running results have been taken when a barrier comes. */
  stateParts({ operator }: PartOwner): StatePart[] {
    return [
      {
        kind: 'own',
        operator,
        name: 'aggregators',
        save: () => this.#core.stateSaveOwn(this.#handle),
        restore: (saved) => {
          for (const { bytes } of saved) this.#core.stateRestoreOwn(this.#handle, bytes);
        },
      },
      { kind: 'core', operator, name: 'state', handle: this.#handle },
    ];
  }

  close(): void {
    this.#core.stateDrop(this.#handle);
  }
}
