import type { PartOwner } from '../checkpoint/part-owner.ts';
import type { StatePart } from '../checkpoint/state-part.ts';
import type { BatchReader } from '../codec/batch-reader.ts';
import type { BatchWriter } from '../codec/batch-writer.ts';
import type { Pushed } from './linked-node.ts';

/** Results that are given at a time. */
export const RESULT_ROWS = 1024;

/** Results that wait to be given to the nodes below a keyed operator. */
export type KeyedResults =
  | { readonly kind: 'records'; readonly records: readonly unknown[]; readonly keys?: readonly unknown[]; readonly times?: readonly number[] | undefined }
  | { readonly kind: 'windows'; readonly reader: BatchReader }
  /** Records that came too late, with their keys and event times. */
  | { readonly kind: 'late'; readonly records: readonly unknown[]; readonly keys: readonly unknown[]; readonly times: readonly number[] | undefined }
  | { readonly kind: 'running'; readonly reader: BatchReader; readonly keys: readonly unknown[] }
  | { readonly kind: 'results'; readonly reader: BatchReader };

/**
 * A keyed reduce or aggregate of one task. Keys and inputs are encoded into batches; per batch the core either
 * aggregates (built-in aggregators) or gives dense slots, by which the user's accumulators are kept in arrays here.
 */
export interface KeyedOperator {
  keys: unknown[];
  records: unknown[];
  readonly writer: BatchWriter;
  /** The linked form: one record, with its results given below at once; `input` is its number, where there are several. */
  push(value: unknown, key: unknown, input?: number): Pushed;
  /** What the error policy says of a record whose inputs could not be read. */
  recover?(error: unknown, value: unknown, key: unknown): Pushed;
  /** Whether closed batches or results wait to be worked on. */
  readonly hasWork: boolean;
  /** Works for a moment on closed batches; a promise when a user's accumulator is asynchronous. */
  work(): Pushed;
  /** Takes the results that are ready, oldest first. */
  takeResults(): KeyedResults | undefined;
  /** The results that were taken with this reader have been read: it may be written to again. */
  giveBack?(reader: BatchReader): void;
  /** Closes the open batch, and has all results of what was closed before. */
  flush(): void;
  /** With `emit: { everyMs }`: makes results of the keys that changed, when it is time again. */
  emitChanged?(nowMs: number): void;
  /** With `emit: { everyMs }`: time until there is something to emit; nothing when no key has changed. */
  dueInMs?(nowMs: number): number | undefined;
  /** A batch of an exchange whose columns are the inputs already. */
  updateFromImage?(image: Uint8Array, rows: number): void;
  /** Of windows and timers: the input has ended, so that everything is due; whether that was not known yet. */
  finish?(): boolean;
  /** The next batch of final results, undefined when all were given. */
  drain(): KeyedResults | undefined;
  /** What it hands over at a barrier, when its results have left. */
  stateParts(owner: PartOwner): readonly StatePart[];
  close(): void;
}
