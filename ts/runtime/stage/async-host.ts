import type { CallRecorder } from './call-recorder.ts';

/** What the calls of a task tell its runner. */
export interface AsyncHost {
  /** There is something to do for a task that may be resting. */
  ready(): void;
  /** No record comes before a call has settled. */
  full?(): void;
  /** There are no more records. */
  ended?(): void;
  /** Where outcomes are recorded. */
  readonly recorder?: CallRecorder | undefined;
}
