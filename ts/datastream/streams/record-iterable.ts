import { SageError } from '../../common/errors.ts';
import type { IterableSource, RecordIterator } from '../../transformations/source-descriptor.ts';
import { isSeekable, type Seekable } from '../../functions/seekable.ts';
import { ReadableRecords } from './readable-records.ts';
import { isReadable, isReadableStream, whyNotReadable } from './stream-kind.ts';

/** Something that records can be taken out of one by one. */
export interface RecordIterable {
  /** What was given, for messages: `Set`, `Readable`. */
  readonly name: string;
  /** Starts from the beginning where that is possible; called once a job. @throws SageError SAGE_USER_SOURCE where it is not. */
  readonly open: () => RecordIterator;
  /** Whether `next()` gives promises. */
  readonly async: 'yes' | 'no' | 'unknown';
  readonly replay: IterableSource['replay'];
  /** Why records would be missing, if so: goes on behind "a Readable that". */
  readonly problem?: string | undefined;
}

/** A Node `Readable`, a `ReadableStream`, an iterable, an async iterable or an iterator; `undefined` for anything else. */
export function toRecordIterable(value: object): RecordIterable | undefined {
  const name = value.constructor?.name || 'iterable';
  if (isReadable(value)) {
    const records = new ReadableRecords(value);
    return { name, open: streamOnce(value, () => records), async: 'unknown', replay: 'once', problem: whyNotReadable(value) };
  }
  if (isReadableStream(value)) {
    const open = (): RecordIterator => {
      const reader = value.getReader();
      return { next: () => reader.read() as Promise<IteratorResult<unknown>>, return: () => reader.cancel() };
    };
    return { name, open: streamOnce(value, open), async: 'yes', replay: 'once', problem: whyNotReadable(value) };
  }
  const { [Symbol.asyncIterator]: openAsync, [Symbol.iterator]: openSync, next } = value as Partial<
    AsyncIterable<unknown> & Iterable<unknown> & Iterator<unknown>
  >;
  // An iterator is its own iterable, and has one pass.
  const replay = isSeekable(value) ? 'seekable' : typeof next === 'function' ? 'once' : 'again';
  if (typeof openAsync === 'function') return { name, open: once(value, () => openAsync.call(value)), async: 'yes', replay };
  if (typeof openSync === 'function') return { name, open: once(value, () => openSync.call(value)), async: 'no', replay };
  return typeof next === 'function' ? { name, open: once(value, () => value as RecordIterator), async: 'unknown', replay } : undefined;
}

/** What has one pass, and has been opened: by a job, or by another source of the same one. */
const opened = new WeakSet<object>();

/** A stream has one pass; something may have happened to it since the pipeline was written. */
function streamOnce(stream: Parameters<typeof whyNotReadable>[0], open: () => RecordIterator): () => RecordIterator {
  return () => {
    // One that has failed says so when it is read.
    const problem = opened.has(stream) ? 'is read by another source, or was by an earlier job' : isReadable(stream) && stream.errored != null ? undefined : whyNotReadable(stream);
    if (problem !== undefined) {
      throw new SageError('SAGE_USER_SOURCE', `a ${stream.constructor?.name ?? 'stream'} ${problem}`, {
        help: 'Give a function that makes the stream: fromSource(async function* () { yield* makeStream(); }).',
      });
    }
    opened.add(stream);
    return open();
  };
}

/** An iterator that is its own iterable has one pass; a second source or job would silently see a part of it, or nothing. */
function once(value: object, open: () => RecordIterator): () => RecordIterator {
  return () => {
    if (isSeekable(value)) return seekableRecords(value, open);
    const iterator = open();
    if (iterator !== value) return iterator;
    if (opened.has(value)) {
      throw new SageError('SAGE_USER_SOURCE', 'an iterator is already read by another source, or was by an earlier job', {
        help: 'Give the generator function instead of its result, so that each source of each job starts its own.',
      });
    }
    opened.add(value);
    return iterator;
  };
}

/** Where seekable iterables were before anybody read them: a job that starts anew begins there. */
const beginnings = new WeakMap<object, { readonly position: unknown }>();

/** The records of an iterable that says itself how far it is. It is opened with its first record, as it may be told before where to begin. */
function seekableRecords(value: Seekable, open: () => RecordIterator): RecordIterator {
  let iterator: RecordIterator | undefined;
  let settled: unknown;
  const beginning = beginnings.get(value);
  if (beginning === undefined) beginnings.set(value, { position: value.position() });
  else settled = value.seek(beginning.position);
  const next = (): ReturnType<RecordIterator['next']> => (iterator ??= open()).next();
  const nextOnceSettled = async (): Promise<IteratorResult<unknown>> => {
    await settled;
    settled = undefined;
    return next();
  };
  return {
    next: () => (isThenable(settled) ? nextOnceSettled() : next()),
    return: () => iterator?.return?.(),
    position: () => value.position(),
    seek: async (position) => {
      await settled;
      settled = undefined;
      await value.seek(position);
    },
  };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | undefined)?.then === 'function';
}
