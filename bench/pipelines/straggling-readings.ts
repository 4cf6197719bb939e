import { type Reading, makeReading } from './readings.ts';

/** One of so many readings is a straggler, whatever its sensor. */
const STRAGGLER_EVERY = 10_007;
/** So much later than the others, which is behind every window that is open. */
const STRAGGLER_MS = 60_000;

/** A reading of the files: that of the windows row, but for a few which come too late for their window. */
export function readingOfFile(n: number): Reading {
  const reading = makeReading(n);
  return n % STRAGGLER_EVERY === STRAGGLER_EVERY - 1 ? { ...reading, at: reading.at - STRAGGLER_MS } : reading;
}
