/** Credit of one physical edge. */
export interface QueueSize {
  readonly maxRows: number;
  readonly maxBytes: number;
}

/** What one producer may have in flight to all of its targets together. */
const ROWS_PER_OUTPUT = 16_384;
const BYTES_PER_OUTPUT = 4 * 1024 * 1024;
/** A queue holds a few full batches (1024 records, 64 KiB), or the two sides would wait for each other all the time. */
const MOST_ROWS = 4096;
const MOST_BYTES = 1024 * 1024;
const LEAST_ROWS = 1024;
const LEAST_BYTES = 128 * 1024;

/** Size of each queue of an output with so many targets: memory grows with the targets, but not without end. */
export function queueSize(targets: number): QueueSize {
  return {
    maxRows: Math.max(LEAST_ROWS, Math.min(MOST_ROWS, Math.floor(ROWS_PER_OUTPUT / targets))),
    maxBytes: Math.max(LEAST_BYTES, Math.min(MOST_BYTES, Math.floor(BYTES_PER_OUTPUT / targets))),
  };
}
