import type { UserFunction } from '../functions/user-function.ts';
import type { Job } from './job.ts';

/** A writer in the core, as JSON for `open_sink`. */
export interface NativeSinkSpec {
  readonly type: 'textLines' | 'jsonLines' | 'csv' | 'json' | 'parquet' | 'arrow';
  /** A file, a directory (a part per instance), a path with `{part}`, or `-`. */
  readonly path: string;
  /** Settings of the writer, by the names that the core knows. */
  readonly [setting: string]: unknown;
}

/** Whether the path of a sink is standard output. `./-` is a file. */
export function isStandardOutput(path: string): boolean {
  return path === '-';
}

/** What an array that takes `T` can do, whatever else it may hold. */
export interface ArrayTarget<in T> {
  /** Takes records at its end. */
  readonly push: (...items: T[]) => number;
}

/** Records are pushed into an array of the main isolate. One instance. */
export interface ArraySink {
  /** Tells the kinds of sink apart. */
  readonly form: 'array';
  /** What the records are pushed into. */
  readonly target: unknown[];
}

/**
 * What a function does with records that it gets again behind a restart: `'atLeastOnce'` takes them once more; `'idempotent'` overwrites what it
 * has of them, as with a key of their own, so that the result is the same.
 */
export type Delivery = 'atLeastOnce' | 'idempotent';

/** A function is called: a lambda or object in the main isolate as one instance, a class perhaps in workers. */
export interface FunctionSink {
  /** Tells the kinds of sink apart. */
  readonly form: 'function';
  /** `'atLeastOnce'` when left away. Of a `TransactionalSink` none is said. */
  readonly delivery?: Delivery;
  /** What is called for each record. */
  readonly fn: UserFunction;
}

/** Records are handed to who iterates over `collect()`, in the main isolate. One instance. */
export interface CollectSink {
  /** Tells the kinds of sink apart. */
  readonly form: 'collect';
  /** Where the records go. */
  readonly collector: RecordCollector;
}

/** Records are written to a Node or web stream, in the main isolate. One instance. */
export interface StreamSink {
  /** Tells the kinds of sink apart. */
  readonly form: 'stream';
  /** What was given. */
  readonly stream: object;
  /** What that is, for messages: `Writable`, `WritableStream`. */
  readonly name: string;
  /** Whether other sinks may write to the stream too: where this one does not end it. A `WritableStream` has one writer. */
  readonly isShared: boolean;
  /** Whether the stream ends with the job; it is destroyed when the job fails. */
  readonly ends: boolean;
  /** Called once a job. @param fail told of an error that comes when nobody writes. @throws SageError SAGE_USER_SINK when the stream takes nothing any more. */
  readonly open: (fail: (error: unknown) => void) => StreamWriter;
}

/** The side of a stream that a job writes to. */
export interface StreamWriter {
  /** Takes one record; a promise says "not before this settles". */
  write(record: unknown): void | Promise<void>;
  /** All records were written: resolves when the stream has taken them. */
  end(): Promise<void>;
  /** The job has failed or was cancelled. */
  abort(reason: unknown): void;
}

/** A connector in the core. */
export interface NativeSink {
  /** Tells the kinds of sink apart. */
  readonly form: 'native';
  /** Which writer, and its settings. */
  readonly spec: NativeSinkSpec;
}

/** The inner side of `collect()`. */
export interface RecordCollector {
  /** Whether somebody has begun to iterate. */
  readonly reading: boolean;
  /** A job with this sink in it has been submitted; it may still be refused. */
  submitted(job: Promise<Job>): void;
  /** @throws SageError SAGE_JOB_CANCELED when its reader has given up before anything has begun. */
  checkNotAborted(): void;
  /** Takes one record; a promise says "not before this settles". */
  write(record: unknown): void | Promise<void>;
}

/** Where records go. */
export type SinkDescriptor = ArraySink | FunctionSink | CollectSink | StreamSink | NativeSink;

/** Whether the sink must run in the main isolate, as one instance. */
export function isMainSink(sink: SinkDescriptor): boolean {
  return sink.form === 'array' || sink.form === 'collect' || sink.form === 'stream' || (sink.form === 'function' && sink.fn.form !== 'class');
}
