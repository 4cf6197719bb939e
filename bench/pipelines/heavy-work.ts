/** A record of the CPU-heavy row. */
export interface Job {
  readonly key: string;
  readonly seed: number;
}

/** What its lambda makes of it. */
export interface Worked {
  readonly key: string;
  readonly value: number;
}

const ROUNDS = 500;
const KEYS = 100_000;

/** Arithmetic of about 2 us that V8 cannot shorten. */
export function work(job: Job): Worked {
  let hash = job.seed | 1;
  for (let n = 0; n < ROUNDS; n++) hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d ^ n);
  return { key: job.key, value: (hash >>> 0) % 1000 };
}

/** The records `from .. to`; every thread makes its own. */
export function makeJobs(from: number, to: number): readonly Job[] {
  const keys = Array.from({ length: KEYS }, (_, n) => `customer-${String(n).padStart(6, '0')}`);
  const jobs = new Array<Job>(to - from);
  for (let n = from; n < to; n++) jobs[n - from] = { key: keys[(Math.imul(n, 2_654_435_761) >>> 0) % KEYS]!, seed: n };
  return jobs;
}
