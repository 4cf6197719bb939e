import type { SegmentInput } from '../../compiler/codegen/segment-input.ts';
import { SageError } from '../../common/errors.ts';
import { END } from '../../functions/source-function.ts';
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
  /** Reads a settled promise of the source: undefined for the end, `has: false` for nothing now. */
  settle(settled: unknown): { readonly has: boolean; readonly value?: unknown } | undefined;
  /** Lets the source clean up; perhaps a promise, of anything. */
  close(): unknown;
}

/** The rows of an array that belong to one instance: contiguous, and every row to exactly one. */
export function openCollection(root: number, items: readonly unknown[], instance: number, instances: number): OpenedSource {
  return {
    root,
    input: { kind: 'array', keyed: false, timed: false },
    source: items,
    start: Math.floor((items.length * instance) / instances),
    end: Math.floor((items.length * (instance + 1)) / instances),
    settle: () => undefined,
    close: () => undefined,
  };
}

/** An iterator, synchronous or not, or now this and now that. */
export function openIterator(root: number, iterator: RecordIterator): OpenedSource {
  let ended = false;
  return {
    root,
    input: { kind: 'iterator' },
    source: iterator,
    start: 0,
    end: Number.POSITIVE_INFINITY,
    settle(settled) {
      const next = settledResult(settled);
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
export function openFunction(root: number, pull: () => unknown, ends: 'source' | 'batch'): OpenedSource {
  return {
    root,
    input: { kind: 'function', ends },
    source: pull,
    start: 0,
    end: Number.POSITIVE_INFINITY,
    settle(settled) {
      if (ends === 'batch') return settled === null || settled === undefined ? undefined : { has: true, value: settled };
      if (settled === END) return undefined;
      return settled === undefined ? { has: false } : { has: true, value: settled };
    },
    close: () => undefined,
  };
}
