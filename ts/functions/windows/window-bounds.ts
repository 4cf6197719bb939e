/** When a window starts and ends, in epoch milliseconds; the end is no longer part of it. */
export interface WindowBounds {
  /** The first moment. */
  readonly start: number;
  /** The moment behind the last one. */
  readonly end: number;
}
