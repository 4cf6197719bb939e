import type { UserFunction } from '../functions/user-function.ts';

/** A writer in the core, as JSON for `open_sink`. */
export interface NativeSinkSpec {
  readonly type: 'textLines' | 'jsonLines' | 'csv' | 'json' | 'parquet';
  /** A file, a directory (a part per instance), or a path with `{part}`. */
  readonly path: string;
  /** Settings of the writer, by the names that the core knows. */
  readonly [setting: string]: unknown;
}

/** What an array that takes `T` can do, whatever else it may hold. */
export interface ArrayTarget<in T> {
  readonly push: (...items: T[]) => number;
}

/** Records are pushed into an array of the main isolate. One instance. */
export interface ArraySink {
  readonly form: 'array';
  readonly target: unknown[];
}

/** A function is called: a lambda or object in the main isolate as one instance, a class perhaps in workers. */
export interface FunctionSink {
  readonly form: 'function';
  readonly fn: UserFunction;
}

/** Records are handed to who iterates over `collect()`, in the main isolate. One instance. */
export interface CollectSink {
  readonly form: 'collect';
  readonly collector: RecordCollector;
}

/** A connector in the core. */
export interface NativeSink {
  readonly form: 'native';
  readonly spec: NativeSinkSpec;
}

/** The inner side of `collect()`. */
export interface RecordCollector {
  /** Whether somebody has begun to iterate. */
  readonly reading: boolean;
  /** Takes one record; a promise says "not before this settles". */
  write(record: unknown): void | Promise<void>;
}

/** Where records go. */
export type SinkDescriptor = ArraySink | FunctionSink | CollectSink | NativeSink;

/** Whether the sink must run in the main isolate, as one instance. */
export function isMainSink(sink: SinkDescriptor): boolean {
  return sink.form === 'array' || sink.form === 'collect' || (sink.form === 'function' && sink.fn.form !== 'class');
}
