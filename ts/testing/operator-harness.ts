import { SageError } from '../common/errors.ts';
import type { DataStream } from '../datastream/streams.ts';
import { type OutputTag, tagName } from '../functions/output-tag.ts';
import type { TimerKind } from '../functions/state/timers.ts';
import { keyIdentity } from '../runtime/stage/key-identity.ts';
import type { TimerChange } from '../runtime/stage/instrument.ts';
import type { Job, JobState } from '../transformations/job.ts';
import { CollectSink, type Collected } from './collect-sink.ts';
import type { HarnessOptions } from './make-operator-harness.ts';
import { type SettleOptions, TestEnvironment } from './test-environment.ts';
import type { TestSource } from './test-source.ts';

/** Which operator a function is for. */
export type OperatorKind = 'map' | 'filter' | 'flatMap' | 'process' | 'keyedProcess' | 'coProcess' | 'keyedBroadcast' | 'broadcast' | 'comap' | 'join';

/** How a record comes into a harness. */
export interface HarnessPushOptions extends SettleOptions {
  /** Its event time, in epoch milliseconds; the time of the clock when left away. */
  readonly timestamp?: number | Date;
  /** Of which input it is, from 0; 0 when left away. */
  readonly input?: number;
}

/** A timer that has not fired. */
export interface HarnessTimer {
  /** Of event time, or of the clock. */
  readonly kind: TimerKind;
  /** When it is due, in epoch milliseconds. */
  readonly time: number;
  /** The key that registered it. */
  readonly key: unknown;
}

/** An environment that tells its harness of timers. */
class HarnessEnvironment extends TestEnvironment {
  tellOfTimers(tell: (change: TimerChange) => void): void {
    this.watchTimers(tell);
  }
}

const UID = 'operator';
const KEYED: ReadonlySet<OperatorKind> = new Set(['keyedProcess', 'coProcess', 'keyedBroadcast', 'join']);
const TAKES_BROADCAST: ReadonlySet<OperatorKind> = new Set(['keyedBroadcast', 'broadcast']);

/** One function under test; `operatorHarness` makes it. It is opened with the first call that needs it to run. */
export class OperatorHarness<in In, out Out> {
  readonly #env: HarnessEnvironment;
  readonly #sources: readonly TestSource<unknown>[];
  readonly #main = new CollectSink<unknown>();
  readonly #sides = new Map<string, CollectSink<unknown>>();
  readonly #key: unknown;
  readonly #timers = new Map<string, HarnessTimer>();
  #job: Promise<Job> | undefined;

  /** `operatorHarness` calls it. */
  constructor(kind: OperatorKind, operator: unknown, options: HarnessOptions, inputs: number) {
    const { startMs = 0, eventTime = true, key, keyBy, args = [], sideOutputs = [], onError } = options;
    this.#env = new HarnessEnvironment({ name: 'harness', startMs });
    this.#env.tellOfTimers((change) => this.#note(change));
    this.#sources = Array.from({ length: inputs }, (_, n) => this.#env.testSource(`input ${n}`, { eventTime }));
    this.#key = key ?? (KEYED.has(kind) ? 'key' : undefined);
    const keyOf = keyBy ?? (this.#key === undefined ? undefined : () => this.#key);
    const streams = this.#sources.map((source, input) => {
      const stream = this.#env.fromSource(source);
      const isBroadcast = input === 1 && TAKES_BROADCAST.has(kind);
      return keyOf === undefined || isBroadcast ? stream : stream.keyBy(keyOf as (record: unknown) => string);
    });
    const result = applied(kind, streams, operator, args).named('operator').uid(UID);
    if (onError !== undefined) result.onError(onError);
    for (const tag of sideOutputs) {
      const sink = new CollectSink<unknown>();
      this.#sides.set(tagName(tag), sink);
      result.sideOutput(tagName(tag)).sink(sink);
    }
    result.sink(this.#main);
  }

  /**
   * Gives the function a record, and waits until it is through with it and with all that this makes due.
   *
   * @throws SageError what the function has failed with; SAGE_TEST_PENDING when it does not settle; SAGE_PLAN_ARGUMENT for an input that it has not
   */
  async push(record: In, { timestamp, input = 0, ...settle }: HarnessPushOptions = {}): Promise<void> {
    const source = this.#sources[input];
    if (source === undefined) throw new SageError('SAGE_PLAN_ARGUMENT', `the harness has ${this.#sources.length} inputs, and was given a record of input ${input}`);
    await this.#started();
    void source.push(record, timestamp);
    await this.#env.settle(settle);
  }

  /** Says on all inputs that all records before `t` have come, and settles. @param t epoch milliseconds @throws SageError as `push` */
  async watermark(t: number | Date, options: SettleOptions = {}): Promise<void> {
    await this.#started();
    await this.#env.runToWatermark(t, options);
  }

  /** Lets milliseconds pass on the clock, and settles. @throws SageError as `push` */
  async advanceTime(ms: number, options: SettleOptions = {}): Promise<void> {
    await this.#started();
    await this.#env.advanceTime(ms, options);
  }

  /** Ends the input: what the function gives at its end comes out, and it is closed. @throws SageError as `push` */
  async finish(options: Pick<SettleOptions, 'timeoutMs'> = {}): Promise<void> {
    await this.#started();
    await this.#env.finish(options);
  }

  /** What has come out since the last call. */
  outputs(): Out[] {
    return this.#main.take() as Out[];
  }

  /** All that has come out, with event times and keys. */
  get collected(): readonly Collected<Out>[] {
    return this.#main.collected as readonly Collected<Out>[];
  }

  /** What has come out of a side output since the last call. @throws SageError SAGE_PLAN_ARGUMENT for one that the options do not name */
  sideOutputs<X = unknown>(tag: OutputTag<X> | string): X[] {
    const sink = this.#sides.get(tagName(tag));
    if (sink !== undefined) return sink.take() as X[];
    throw new SageError('SAGE_PLAN_ARGUMENT', `the harness does not know the side output '${tagName(tag)}'`, { help: `Write operatorHarness(fn, { sideOutputs: ['${tagName(tag)}'] }).` });
  }

  /** A state of the function. `get(key)` reads it; without a key that of the option `key`. */
  state(name: string): { get(key?: unknown): Promise<unknown> } {
    const read = async (): Promise<JobState> => (await this.#started()).state(UID, name);
    return { get: async (key = this.#key) => (await read()).get(key) };
  }

  /** The timers that have not fired, by time. */
  timers(): HarnessTimer[] {
    return [...this.#timers.values()].toSorted((a, b) => a.time - b.time);
  }

  /** Stops it and closes the function. @throws SageError what the function has failed with, if nobody was told */
  async close(): Promise<void> {
    await this.#env.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #started(): Promise<Job> {
    return (this.#job ??= this.#env.start());
  }

  #note({ kind, time, key, change }: TimerChange): void {
    const id = `${kind} ${time} ${typeof key} ${String(keyIdentity(key))}`;
    if (change === 'registered') this.#timers.set(id, { kind, time, key });
    else this.#timers.delete(id);
  }
}

/** A stream behind the function. What was checked when the harness was made is not said again to the compiler. */
function applied(kind: OperatorKind, [first, ...others]: readonly DataStream<unknown>[], operator: unknown, args: readonly unknown[]): DataStream<unknown> {
  const call = (target: object, method: string): DataStream<unknown> =>
    (target as Readonly<Record<string, (...args: readonly unknown[]) => DataStream<unknown>>>)[method]!(operator, ...args);
  if (kind === 'keyedProcess') return call(first!, 'process');
  if (TAKES_BROADCAST.has(kind)) return call(first!.connect(others[0]!.broadcast()), 'process');
  const connected = (): object => first!.connect(...(others as [DataStream<unknown>]));
  if (kind === 'coProcess') return call(connected(), 'process');
  return kind === 'comap' || kind === 'join' ? call(connected(), kind) : call(first!, kind);
}
