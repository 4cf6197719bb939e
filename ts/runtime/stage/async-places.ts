import type { AsyncEntry } from './async-call.ts';

/** Calls of one key. */
export interface Lane {
  running: number;
  readonly waiting: AsyncEntry[];
}

/** A place among the calls in flight. Its two functions are made once, not for each record. */
export interface Slot {
  entry: AsyncEntry | undefined;
  /** Takes the end of its time back. */
  stopTimer: (() => void) | undefined;
  readonly onDone: (result: unknown) => void;
  readonly onFail: (error: unknown) => void;
}
