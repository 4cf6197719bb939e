import type { Writable } from 'node:stream';
import type { WritableStream } from 'node:stream/web';
import { captureSourceLocation } from '../common/source-location.ts';
import type { Sink } from '../transformations/connector.ts';
import type { ArrayTarget, SinkDescriptor } from '../transformations/sink-descriptor.ts';
import { SinkTransformation } from '../transformations/sink-transformation.ts';
import { type CollectedRecords, type CollectOptions, CollectStream } from './collect-stream.ts';
import type { Fillable } from './fillable.ts';
import { checkErrorPolicy } from './operator-arguments.ts';
import { checkCanFail, checkOptions, checkParallelism, checkSignal, checkText, checkUid } from './plan-checks.ts';
import type { ClassOf, Executes, RecordFunction } from './record-types.ts';
import { printSink, toSinkDescriptor } from './sink-argument.ts';
import { StreamBase } from './stream-base.ts';
import { streamKinds } from './stream-kinds.ts';
import type { ClassOptions, FunctionSinkOptions, SinkOptions, StreamSinkOptions } from './stream-options.ts';

/** The ways of records out of a pipeline: sinks, standard output, and readers of the program. */
export abstract class SinkableStream<out T> extends StreamBase {
  /**
   * Sends the records to an array, a function, a class, a connector, or a Node `Writable` or `WritableStream`. Returns this
   * stream, so that sinks chain; `named`, `uid` and `parallelism` right behind belong to the sink.
   *
   * A stream is written to with backpressure, ended with the job (`{ end: false }` leaves it open), and destroyed with the
   * reason when the job fails or is cancelled; an error of the stream fails the job.
   *
   * ```ts
   * env.fromCollection(['to be\n', 'or not\n']).sink(process.stdout);
   * ```
   */
  sink(target: T[] | (readonly unknown[] & ArrayTarget<T>), options?: SinkOptions): this;
  sink(connector: Sink<T>, options?: SinkOptions): this;
  sink(stream: Writable | WritableStream<T>, options?: StreamSinkOptions): this;
  sink(fn: RecordFunction<T, unknown>, options?: FunctionSinkOptions): this;
  sink<A extends readonly unknown[]>(
    Class: ClassOf<Executes<T, unknown>, A>,
    ...options: ClassOptions<FunctionSinkOptions, NoInfer<A>>
  ): this;
  sink(instance: Executes<T, unknown>, options?: FunctionSinkOptions): this;
  sink(target: unknown, options?: unknown): this {
    const declaredAt = captureSourceLocation(this.sink);
    const { name, uid, parallelism, onError, args, end, delivery } = checkOptions(options, ['name', 'uid', 'parallelism', 'onError', 'delivery', 'args', 'end'], 'sink', declaredAt);
    const sink = new SinkTransformation(this.transformation, toSinkDescriptor(target, { args, end, delivery }, declaredAt), 'sink', declaredAt);
    if (name !== undefined) sink.name = checkText(name, 'name', declaredAt);
    if (uid !== undefined) sink.uid = checkUid(uid, undefined, this.environment.pipeline, declaredAt);
    if (parallelism !== undefined) sink.parallelism = checkParallelism(parallelism, declaredAt);
    if (onError !== undefined) {
      sink.errorPolicy = checkErrorPolicy(onError, declaredAt);
      checkCanFail(sink, sink.errorPolicy, declaredAt);
    }
    return this.withSubject(this.environment.add(sink));
  }

  /** Writes each record to standard output, behind `prefix` if one is given. Returns this stream as `sink` does. */
  print(prefix?: string): this {
    const declaredAt = captureSourceLocation(this.print);
    if (prefix !== undefined) checkText(prefix, 'print', declaredAt);
    const sink = new SinkTransformation(this.transformation, printSink(prefix), 'print', declaredAt);
    return this.withSubject(this.environment.add(sink));
  }

  /**
   * Sends the records back to where `future` was made: the end of a feedback loop, which each future needs once. They go around
   * without their key, and keep their event time. Returns this stream; `named` and `parallelism` right behind belong to the way back.
   *
   * ```ts
   * const again = env.fromFuture<number>('again');
   * const counted = env.fromCollection([0]).union(again).map((n) => n + 1);
   * counted.filter((n) => n < 5).fillFuture(again);
   * counted.print();
   * ```
   *
   * @throws SageError SAGE_PLAN_FUTURE when it was filled already.
   */
  fillFuture(future: Fillable<T>): this {
    const declaredAt = captureSourceLocation(this.fillFuture);
    return this.withSubject(streamKinds().fillFuture(this, future, declaredAt));
  }

  /**
   * The records of this stream for a `for await` loop, which submits the job; leaving it early cancels the job. `toReadable()`
   * and `toReadableStream()` of the result give them as a stream.
   *
   * ```ts
   * const env = new LocalEnvironment('squares');
   * for await (const square of env.fromCollection([1, 2, 3]).map((n) => n * n).collect()) console.log(square);
   * ```
   */
  collect(options?: CollectOptions): CollectedRecords<T> {
    const declaredAt = captureSourceLocation(this.collect);
    const { signal } = checkOptions(options, ['signal'], 'collect', declaredAt);
    const collector = new CollectStream<T>(this.environment, declaredAt, checkSignal(signal, 'collect', declaredAt));
    const sink: SinkDescriptor = { form: 'collect', collector };
    this.environment.add(new SinkTransformation(this.transformation, sink, 'collect', declaredAt));
    return collector;
  }
}
