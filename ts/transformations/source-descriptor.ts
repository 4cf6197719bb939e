import type { StandardSchema } from '../common/standard-schema.ts';
import type { UserFunction } from '../functions/user-function.ts';
import type { TimestampSelector, TimestampSettings } from './assign-timestamps-transformation.ts';

/** A reader in the core, as JSON for `open_source`. */
export interface NativeSourceSpec {
  readonly type: 'textLines' | 'jsonLines' | 'csv' | 'json' | 'parquet' | 'arrow';
  /** Files, directories, patterns, or `-` for the standard input. Relative paths start at the working directory of the process. */
  readonly path: string | readonly string[];
  /** Look for new files for ever. */
  readonly watch?: { readonly everyMs: number };
  /** The fields to read; all when left away. */
  readonly columns?: readonly string[];
  /** Settings of the reader, by the names that the core knows. */
  readonly [setting: string]: unknown;
}

/** Where the records of a source have their event time. */
export interface SourceTimestamps {
  /** The field, or what knows it of the record that was given last. */
  readonly selector: TimestampSelector;
  /** How event time is derived from it. */
  readonly settings: TimestampSettings;
}

/** What all sources can have. */
interface SourceParts {
  /** Validates the records right behind the source. */
  readonly schema?: StandardSchema | undefined;
  /** Line of the source that a record which was just read came from, where that is known. */
  readonly lineOf?: ((record: unknown) => number | undefined) | undefined;
  /** Where records have their event time, and how it goes on. */
  readonly timestamps?: SourceTimestamps | undefined;
}

/** Records of an array. Instances take slices. */
export interface CollectionSource extends SourceParts {
  /** Tells the kinds of source apart. */
  readonly form: 'collection';
  /** The records. */
  readonly items: readonly unknown[];
  /** Whether it comes to an end by itself. */
  readonly bounded: boolean;
}

/** What gives records one by one: an iterator, an async iterator, or one that gives promises only where it has to wait. */
export interface RecordIterator {
  next(): IteratorResult<unknown> | PromiseLike<IteratorResult<unknown>>;
  /** Lets it clean up before its end; perhaps a promise, of anything. */
  return?(value?: undefined): unknown;
  /** A promise that it has given waits for a test to push a record: to wait for that is rest, and no work. */
  readonly isQuiet?: boolean;
  /** As `Seekable`, where it can say how far it is. */
  position?(): unknown;
  seek?(position: never): unknown;
}

/** Records of an iterable, a generator function, a Node Readable or a ReadableStream. One instance. */
export interface IterableSource extends SourceParts {
  /** Tells the kinds of source apart. */
  readonly form: 'iterable';
  /** What was given, for messages: `generator records`, `Set`, `Readable`. */
  readonly name: string;
  /** Starts from the beginning where the iterable can; called once a job. */
  readonly open: () => RecordIterator;
  /** Whether `next()` gives promises. */
  readonly async: 'yes' | 'no' | 'unknown';
  /**
   * What a restart finds: `again` when `open` starts from the beginning each time, `once` when there is one pass; `seekable` when what `open`
   * gives goes on where it was (`Seekable`).
   */
  readonly replay: 'again' | 'once' | 'seekable';
  /** Whether it comes to an end by itself. */
  readonly bounded: boolean;
}

/** A `SourceFunction`, or a function that gives one record a call: `undefined` is nothing now, `END` the end. */
export interface FunctionSource extends SourceParts {
  /** Tells the kinds of source apart. */
  readonly form: 'function';
  /** What is called for each record. */
  readonly fn: UserFunction;
  /** Whether it comes to an end by itself. */
  readonly bounded: boolean;
}

/** A `BatchFunction`: `null` and `undefined` are the end. */
export interface BatchSource extends SourceParts {
  /** Tells the kinds of source apart. */
  readonly form: 'batch';
  /** What is called for each record. */
  readonly fn: UserFunction;
  /** Whether it comes to an end by itself. */
  readonly bounded: boolean;
}

/** A connector in the core. */
export interface NativeSource extends SourceParts {
  /** Tells the kinds of source apart. */
  readonly form: 'native';
  /** Which reader, and its settings. */
  readonly spec: NativeSourceSpec;
  /** Whether it comes to an end by itself. */
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

/** Whether a path means the standard input of the process. */
export function isStandardInput(path: NativeSourceSpec['path']): boolean {
  return path === '-';
}

/** Paths that are shown of a list of them. */
const SHOWN_PATHS = 3;

/** What a source reads, in words: `'logs/*.jsonl'`, `the standard input`. */
export function describePath(path: NativeSourceSpec['path']): string {
  if (isStandardInput(path)) return 'the standard input';
  const paths = typeof path === 'string' ? [path] : path;
  const shown = paths.length > SHOWN_PATHS + 1 ? paths.slice(0, SHOWN_PATHS) : paths;
  const more = paths.length - shown.length;
  return `${shown.map((one) => `'${one}'`).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
