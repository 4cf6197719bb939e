import type { SegmentInput } from '../../compiler/codegen/segment-input.ts';
import { SageError } from '../../common/errors.ts';
import { END } from '../../functions/source-function.ts';
import { CollectionCursor, type SourceCursor } from '../checkpoint/source-cursor.ts';
import type { RecordIterator } from '../../transformations/source-descriptor.ts';
import { iteratorResult } from './iterator-result.ts';

/** A source of one task, ready to be pulled by a generated function. */
export interface OpenedSource {
  readonly root: number;
  readonly input: Extract<SegmentInput, { kind: 'array' | 'iterator' | 'function' }>;
  /** What the generated function pulls from. */
  readonly source: unknown;
  readonly start: number;
  readonly end: number;
  /** How far it is; only with checkpoints. */
  readonly cursor?: SourceCursor | undefined;
  /** Reads a settled promise of the source: undefined for the end, `has: false` for nothing now. */
  settle(settled: unknown): { readonly has: boolean; readonly value?: unknown } | undefined;
  /** Lets the source clean up; perhaps a promise, of anything. */
  close(): unknown;
}

/** The rows of an array that belong to one instance: contiguous, and every row to exactly one. */
export function openCollection(root: number, items: readonly unknown[], instance: number, instances: number): OpenedSource {
  const cursor = new CollectionCursor(items, instance, instances);
  return {
    root,
    input: { kind: 'array', keyed: false, timed: false },
    cursor,
    // Where it begins is known when what was saved has been restored.
    get source() {
      return cursor.rows;
    },
    get start() {
      return cursor.start;
    },
    get end() {
      return cursor.end;
    },
    settle: () => undefined,
    close: () => undefined,
  };
}

/** An iterator, synchronous or not, or now this and now that. */
export function openIterator(root: number, iterator: RecordIterator, cursor?: SourceCursor): OpenedSource {
  let ended = false;
  return {
    root,
    input: { kind: 'iterator' },
    source: iterator,
    start: 0,
    get end() {
      return cursor?.hasEnded === true ? 0 : Number.POSITIVE_INFINITY;
    },
    cursor,
    settle(settled) {
      const next = settledResult(settled);
      cursor?.answered?.();
      if (next.done) {
        ended = true;
        return undefined;
      }
      return { has: true, value: next.value };
    },
    close: () => (ended ? undefined : iterator.return?.()),
  };
}

function settledResult(settled: unknown): IteratorResult<unknown> {
  try {
    return iteratorResult(settled);
  } catch (cause) {
    throw new SageError('SAGE_USER_SOURCE', `an asynchronous source failed: ${(cause as Error).message}`, { cause });
  }
}

/** A function that gives one record per call. */
export function openFunction(root: number, pull: () => unknown, ends: 'source' | 'batch', cursor?: SourceCursor): OpenedSource {
  return {
    root,
    input: { kind: 'function', ends },
    source: pull,
    start: 0,
    get end() {
      return cursor?.hasEnded === true ? 0 : Number.POSITIVE_INFINITY;
    },
    cursor,
    settle(settled) {
      cursor?.answered?.();
      if (ends === 'batch') return settled === null || settled === undefined ? undefined : { has: true, value: settled };
      if (settled === END) return undefined;
      return settled === undefined ? { has: false } : { has: true, value: settled };
    },
    close: () => undefined,
  };
}
