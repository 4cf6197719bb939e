import type { OnTimer } from './instrument.ts';
import type { StepPace } from '../isolate/schedule.ts';
import type { Clock } from '../../common/clock.ts';
import type { Stage, StageNode } from '../../compiler/physical-plan.ts';
import { isBuiltinAggregator } from '../../functions/aggregator.ts';
import type { TaskContext } from '../../functions/task-context.ts';
import type { AnyAggregator } from '../../transformations/aggregate-transformation.ts';
import type { Logger } from '../../functions/logger.ts';
import type { BatchWriter } from '../codec/batch-writer.ts';
import type { BoundExpression } from './bound-expression.ts';
import type { Batcher } from './batcher.ts';
import { type BuiltinState, builtinResult } from './builtin-state.ts';
import type { EndOfTime } from './end-of-time.ts';
import type { HoldingOperator } from './holding-operator.ts';
import type { iteratorResult } from './iterator-result.ts';
import type { KeyedOperator, KeyedResults } from './keyed-operator.ts';
import type { LinkedNode } from './linked-node.ts';
import type { RecordGate } from './record-gates.ts';
import { settledPart } from './settled-part.ts';
import type { SinkTransactions } from './sink-transactions.ts';
import type { StageControl } from './stage-control.ts';
import type { StageTimes } from './stage-times.ts';
import type { TimedOutput } from './timed-output.ts';
import type { TimestampAssigner } from './timestamp-assigner.ts';
import type { TaskStates } from '../state/task-states.ts';
import type { PartOwner } from '../checkpoint/part-owner.ts';
import type { StatePart } from '../checkpoint/state-part.ts';
import { ownValuePart } from '../checkpoint/value-parts.ts';

/** An `UnkeyedState` in a checkpoint. */
interface SavedAccumulators {
  readonly has: boolean;
  readonly value: unknown;
  readonly changed: boolean;
  readonly builtin: readonly (BuiltinState | undefined)[];
  readonly custom: readonly unknown[];
}

/** Accumulator of an unkeyed reduce or aggregate. */
export class UnkeyedState {
  has = false;
  value: unknown = undefined;
  /** Whether a record has come since results were last given; kept with `emit: { everyMs }` only. */
  changed = false;
  /** With `emit: { everyMs }`. */
  readonly everyMs: number | undefined;
  #nextEmitMs = 0;
  readonly builtin: BuiltinState[] = [];
  readonly custom: unknown[] = [];
  readonly #spec: readonly (readonly [string, AnyAggregator])[];

  constructor(node: StageNode) {
    const { op } = node;
    this.#spec = op.kind === 'aggregate' ? Object.entries(op.spec) : [];
    this.everyMs = 'emit' in op && typeof op.emit === 'object' ? op.emit.everyMs : undefined;
    this.#spec.forEach(([name, aggregator], n) => {
      if (isBuiltinAggregator(aggregator)) this.builtin[n] = { count: 0, value: 0 };
      else this.custom[n] = settledPart(aggregator.init(), 'init', name);
    });
  }

  /** There is one instance. */
  statePart(owner: PartOwner): StatePart {
    return ownValuePart<SavedAccumulators>(owner, {
      name: 'state',
      describe: () => 'an accumulator',
      save: () => ({ has: this.has, value: this.value, changed: this.changed, builtin: Array.from(this.builtin), custom: Array.from(this.custom) }),
      restore: ([saved]) => {
        const { has, value, changed, builtin, custom } = saved!.value;
        this.has = has;
        this.value = value;
        this.changed = changed;
        // Generated code holds the objects.
        builtin.forEach((state, n) => {
          if (state !== undefined && this.builtin[n] !== undefined) Object.assign(this.builtin[n], state);
        });
        custom.forEach((accumulator, n) => {
          if (n in this.custom) this.custom[n] = accumulator;
        });
      },
    });
  }

  /** With `emit: { everyMs }`: time until there is something to emit; nothing when no record has come. */
  dueInMs(nowMs: number): number | undefined {
    return this.changed ? Math.max(0, this.#nextEmitMs - nowMs) : undefined;
  }

  /** Whether results are to be given now; they then count as given. */
  takeChanged(nowMs: number): boolean {
    if (this.everyMs === undefined || !this.changed || nowMs < this.#nextEmitMs) return false;
    this.#nextEmitMs = nowMs + this.everyMs;
    this.changed = false;
    return true;
  }

  /** Awaits the accumulators that are promises, and puts what they give in their place. */
  async whenSettled(): Promise<void> {
    const settled = await Promise.all(this.custom);
    this.#spec.forEach(([, aggregator], n) => {
      if (!isBuiltinAggregator(aggregator)) this.custom[n] = settled[n];
    });
  }

  /** What the `n`th aggregator gave as its result. @throws SageError SAGE_USER_WRONG_TYPE for a promise. */
  settled(n: number, result: unknown): unknown {
    return settledPart(result, 'result', this.#spec[n]![0]);
  }

  /** Result record of an aggregate. */
  result(): Record<string, unknown> {
    return Object.fromEntries(
      this.#spec.map(([name, aggregator], n) => [
        name,
        isBuiltinAggregator(aggregator) ? builtinResult(aggregator.name, this.builtin[n]!) : this.settled(n, aggregator.result(this.custom[n])),
      ]),
    );
  }
}

/** Everything the generated and the linked functions of one task share. Arrays are indexed by node. */
export interface StageBindings {
  readonly stage: Stage;
  readonly control: StageControl;
  /** Of the job. */
  readonly clock: Clock;
  /** What steps are cut by. */
  readonly pace: StepPace;
  /** How many of the waits for user code are, for now, waits for something else: for time of the clock between two attempts, or for calls in flight, which are counted themselves. */
  readonly waiting: { byClock: number; forCalls: number };
  /** Told of timers, where somebody wants to know. */
  readonly onTimer: OnTimer | undefined;
  /** User functions: a lambda, an object with `execute`, or the array of an array sink. */
  readonly functions: unknown[];
  readonly contexts: (TaskContext | undefined)[];
  /** What functions keep for each key that records come to one by one. */
  readonly states: TaskStates;
  readonly aggregators: (readonly AnyAggregator[] | undefined)[];
  /** Of each node, by place. */
  readonly expressions: (readonly (BoundExpression | undefined)[] | undefined)[];
  readonly writers: (BatchWriter | undefined)[];
  readonly keyed: (KeyedOperator | undefined)[];
  readonly state: (UnkeyedState | undefined)[];
  /** Batches and asynchronous calls. */
  readonly holders: (HoldingOperator | undefined)[];
  readonly batches: (Batcher | undefined)[];
  readonly gates: (RecordGate | undefined)[];
  readonly assigners: (TimestampAssigner | undefined)[];
  /** By node: what says the end of time behind a function that may give records at its end. */
  readonly ends: (EndOfTime | undefined)[];
  /** Outputs that carry event time. */
  readonly timedOutputs: (TimedOutput | undefined)[];
  /** Event time within the task; nothing where no records have it. */
  readonly times: StageTimes | undefined;
  /** Of `zipWithIndex`. */
  readonly indexes: ({ next: number } | undefined)[];
  /** What `this.output(tag, x)` took, where somebody takes side outputs. */
  readonly outputs: ({ readonly tag: string; readonly record: unknown }[] | undefined)[];
  /** What `this.collect(x)` of a flatMap class took. */
  readonly collected: (unknown[] | undefined)[];
  readonly linked: LinkedNode[];
  /** What the operators of the task hand over at a barrier, in any order; filled in when they are made, whether or not the job has checkpoints. */
  readonly stateParts: StatePart[];
  /** Nodes whose operators had all come to their end in the epoch that the job goes on from: they have given what they give then. */
  readonly hadEnded: Set<number>;
  /** What is prepared and committed of transactional sinks, by node. */
  readonly transactions: (SinkTransactions | undefined)[];
  /** Records that entered at a root; results that left an aggregate. */
  readonly counts: Float64Array;
  /** Records that a map dropped, a filter rejected, or nobody took behind a route. */
  readonly dropped: Float64Array;
  /** Records that a flatMap made. */
  readonly emitted: Float64Array;
  /** Records that error policies left out. */
  readonly skipped: Float64Array;
  /** Records that error policies put aside. */
  readonly dead: Float64Array;
  /** Records that came too late for all of their windows. */
  readonly late: Float64Array;
  /** Records that error policies left out or put aside because their timestamp was too far ahead. */
  readonly ahead: Float64Array;
  /** Throws unless the value can be a key. */
  checkKeyed(key: unknown): void;
  /** A field of what may be no object. */
  readField(value: unknown, name: string): unknown;
  /** Throws unless a field can be added to the record. */
  checkRecord(record: unknown): void;
  /** Throws unless what `next()` of an iterator gave is a result. */
  readonly iteratorResult: typeof iteratorResult;
  /** Whether the job is paused. */
  isPaused(): boolean;
  /** The logger of a node's function. */
  logger(node: number): Logger;
  /** Resolves after this time, and not while the job is paused; rejects when the job is over. */
  wait(ms: number): Promise<void>;
  /** What a source of promises with nothing to give is left alone for. */
  restSource(): Promise<void>;
  /** Resolves when there is credit downstream again; rejects when the job is over. */
  room(): Promise<void>;
  /** Whether a record with many results should be left half way: it takes long, or there is no credit downstream. */
  isHeldUp(): boolean;
  /** Gives the event loop a turn in the middle of a record, and waits while the job is paused; rejects when the job is over. */
  turn(): Promise<void>;
  /** The records of a batch of results. */
  readResults(node: number, results: KeyedResults): Iterable<unknown>;
}
