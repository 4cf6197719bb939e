import { closeSync, openSync, writeSync } from 'node:fs';

import { END, MapFunction, type Seekable, SourceFunction } from '../../../ts/index.ts';

/** A record of the input. */
export interface Reading {
  readonly n: number;
  readonly k: number;
  readonly at: number;
  readonly value: number;
}

const KEYS = 7;

/** Of seven keys, in the order of their times, now and then with a pause. */
export const readingAt = (n: number): Reading => ({ n, k: (n * n) % KEYS, at: n * 10 + Math.floor(n / 13) * 90, value: ((n * 37) % 19) - 9 });

/** Other readings of these keys, at other times. */
const otherAt = (n: number): Reading => ({ n, k: (n * n + n) % KEYS, at: n * 47 + 3, value: n % 11 });

/** The first of these readings, as a source whose position is a number. */
export class Readings extends SourceFunction<Reading> implements Seekable<number> {
  readonly #count: number;
  readonly #at: (n: number) => Reading;
  #next = 0;

  constructor(count: number, kind: 'readings' | 'others') {
    super();
    this.#count = count;
    this.#at = kind === 'others' ? otherAt : readingAt;
  }

  execute(): Reading | typeof END {
    return this.#next === this.#count ? END : this.#at(this.#next++);
  }

  position(): number {
    return this.#next;
  }

  seek(position: number): void {
    this.#next = position;
  }
}

/** What the operators of a process that is killed share. */
export interface Watch {
  /** Where each record is noted that comes from a source. */
  readonly log: string;
  /** An `Int32Array`: after so many records the process kills itself, never while it is 0; and how many records there were. */
  readonly countdown: SharedArrayBuffer;
  /** How long each record takes, so that there is time for some checkpoints. */
  readonly burnMs: number;
}

/** The first operator behind a source: it notes each record in a file that a killed process leaves behind, and may be the end of the process. */
export class Witness extends MapFunction<Reading, Reading> {
  readonly #watch: Watch | undefined;
  readonly #countdown: Int32Array;
  #file = -1;

  constructor(watch: Watch | undefined) {
    super();
    this.#watch = watch;
    this.#countdown = new Int32Array(watch?.countdown ?? new SharedArrayBuffer(8));
  }

  override open(): void {
    if (this.#watch !== undefined) this.#file = openSync(this.#watch.log, 'a');
  }

  execute(reading: Reading): Reading {
    if (this.#watch === undefined) return reading;
    writeSync(this.#file, `${reading.n}\n`);
    Atomics.add(this.#countdown, 1, 1);
    if (Atomics.load(this.#countdown, 0) > 0 && Atomics.sub(this.#countdown, 0, 1) === 1) process.kill(process.pid, 'SIGKILL');
    const until = performance.now() + this.#watch.burnMs;
    while (performance.now() < until);
    return reading;
  }

  override close(): void {
    if (this.#watch !== undefined) closeSync(this.#file);
  }
}
