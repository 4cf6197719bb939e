// A job that goes on from its newest checkpoint and writes more of them all the time. It is killed by itself, by its parent, or at a fault point.
import { appendFileSync, writeSync } from 'node:fs';

import { shapes } from './shapes.ts';

/** What the process is told. */
export interface ProcessArgs {
  readonly shape: string;
  readonly input: string;
  readonly out: string;
  readonly dir: string;
  readonly log: string;
  readonly parallelism: number;
  readonly retained: number;
  /** From the end of a checkpoint to the beginning of the next. */
  readonly pauseMs: number;
  /** When so many checkpoints are written: says `armed`, and kills itself after so many records (never for 0). */
  readonly kill?: { readonly epochs: number; readonly records: number };
}

const { shape: name, input, out, dir, log, parallelism, retained, pauseMs, kill } = JSON.parse(process.argv[2]!) as ProcessArgs;
const STALL_TIMEOUT_MS = 300_000;
/** Into the file among the records: what was noted before has come before. */
const note = (what: string): void => appendFileSync(log, `${what}\n`);
const countdown = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT);

const { pipeline, records, burnMs } = shapes[name]!;
const job = await pipeline.submit(
  { input, records, out, watch: { log, countdown, burnMs } },
  // On a machine that is busy with other things a worker may not run for long.
  { parallelism, checkpoint: { dir, retained }, stallTimeoutMs: STALL_TIMEOUT_MS, from: 'latest' },
);
note(`restored ${job.metrics().checkpoints?.restoredEpoch ?? 0}`);
let completed = 0;
const arm = (): void => {
  if (kill === undefined || completed !== kill.epochs) return;
  writeSync(1, 'armed\n');
  Atomics.store(new Int32Array(countdown), 0, kill.records);
};
arm();
const over = job.ended.then(() => true);
const pause = (): Promise<false> => new Promise((resolve) => void setTimeout(() => resolve(false), pauseMs));
// The first checkpoint is behind some records.
while (Atomics.load(new Int32Array(countdown), 1) === 0 && !(await Promise.race([over, pause()])));
do {
  note('begun');
  // Rejects when the job is over.
  const summary = await job.checkpoint().catch(() => undefined);
  if (summary === undefined) break;
  note(`completed ${summary.epoch}`);
  completed++;
  arm();
} while (!(await Promise.race([over, pause()])));
const { status } = await job.completion;
note(`ended ${status}`);
