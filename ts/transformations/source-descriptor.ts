import type { UserFunction } from '../functions/user-function.ts';

/** A reader in the core, as JSON for `open_source`. */
export interface NativeSourceSpec {
  readonly type: 'textLines' | 'jsonLines' | 'csv' | 'json' | 'parquet';
  /** Relative paths start at the working directory of the process. */
  readonly path: string;
  /** The fields to read; all when left away. */
  readonly columns?: readonly string[];
  /** Settings of the reader, by the names that the core knows. */
  readonly [setting: string]: unknown;
}

/** Records of an array. Instances take slices. */
export interface CollectionSource {
  readonly form: 'collection';
  readonly items: readonly unknown[];
  readonly bounded: boolean;
}

/** Records of an iterable, a generator function, a Node Readable or a ReadableStream. One instance. */
export interface IterableSource {
  readonly form: 'iterable';
  /** What was given, for messages: `generator records`, `Set`, `Readable`. */
  readonly name: string;
  /** Starts from the beginning where the iterable can; called once a job. */
  readonly open: () => Iterator<unknown> | AsyncIterator<unknown>;
  /** Whether `next()` gives promises. */
  readonly async: 'yes' | 'no' | 'unknown';
  readonly bounded: boolean;
}

/** A `SourceFunction`, or a function that gives one record a call: `undefined` is nothing now, `END` the end. */
export interface FunctionSource {
  readonly form: 'function';
  readonly fn: UserFunction;
  readonly bounded: boolean;
}

/** A `BatchFunction`: `null` and `undefined` are the end. */
export interface BatchSource {
  readonly form: 'batch';
  readonly fn: UserFunction;
  readonly bounded: boolean;
}

/** A connector in the core. */
export interface NativeSource {
  readonly form: 'native';
  readonly spec: NativeSourceSpec;
  readonly bounded: boolean;
  /** Whether several instances can share the input (byte ranges, row groups). */
  readonly splittable: boolean;
}

/** Where records come from. */
export type SourceDescriptor = CollectionSource | IterableSource | FunctionSource | BatchSource | NativeSource;

/**
 * How many instances a source can have.
 *
 * - `any`: its input is split, every record is read once at any number;
 * - `onRequest`: a class gives what it gives in each instance and can divide the work by `ctx.parallelIndex`, so that
 *   more than one is only what the user asked for at this operator, never a default;
 * - `one`: it cannot be split; an explicit larger number is a plan error.
 */
export function sourceInstances(source: SourceDescriptor): 'any' | 'onRequest' | 'one' {
  if (source.form === 'collection') return 'any';
  if (source.form === 'native') return source.splittable ? 'any' : 'one';
  if (source.form === 'iterable') return 'one';
  return source.fn.form === 'class' ? 'onRequest' : 'one';
}
