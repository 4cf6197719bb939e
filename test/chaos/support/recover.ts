import type { Job, JobResult, Logger, PipelineOptions, SageError } from '../../../ts/index.ts';
import { SeededRandom } from '../../../ts/testing/seeded-random.ts';
import { type Death, type RecoveringArgs, recovering } from '../pipelines/recovering.ts';
import { Deaths } from './deaths.ts';

/** A run whose threads die. */
export interface Recovery {
  /** One after the other. */
  readonly deaths: readonly Death[];
  readonly seed: number;
  readonly dir: string;
  readonly out: string;
  /** Of the function that dies. */
  readonly parallelism: number;
  readonly options?: PipelineOptions;
}

/** What came of it. */
export interface Recovered {
  readonly result: JobResult;
  readonly errors: readonly SageError[];
  /** From each death until the job has failed and its functions are closed, in milliseconds. */
  readonly noticedMs: readonly number[];
  /** The epoch that each attempt but the first one went on from. */
  readonly restoredEpochs: readonly (number | undefined)[];
}

const RECORDS = 6_000;
const KEYS = 17;
/** A death comes so many records after it was decided, at most: less than lie between two of them. */
const MOST_RECORDS = 500;
/** Epochs between two deaths, at most. */
const MOST_EPOCHS = 3;

/** The arguments of a run. */
export function argsOf(out: string, deaths: readonly Death[], parallelism: number): RecoveringArgs {
  return { deaths, out, moments: Deaths.buffer(deaths.length), records: RECORDS, keys: KEYS, parallelism };
}

/** Runs the job, lets a thread die at random moments behind completed epochs, until the job has come to its end by its restarts. */
export async function recover({ deaths, seed, dir, out, parallelism, options }: Recovery): Promise<Recovered> {
  const random = new SeededRandom(seed);
  const errors: SageError[] = [];
  const noticedMs: number[] = [];
  const restoredEpochs: (number | undefined)[] = [];
  const args = argsOf(out, deaths, parallelism);
  const shared = new Deaths(args.moments);
  const logger: Logger = {
    debug() {},
    info() {},
    warn(fields: unknown) {
      const { err } = fields as { err?: SageError };
      if (err === undefined) return;
      errors.push(err);
      noticedMs.push(performance.timeOrigin + performance.now() - shared.begunAtMs);
    },
    error() {},
    child: () => logger,
  };
  const job = await recovering.submit(args, { checkpoint: { dir, intervalMs: 3 }, restart: { kind: 'fixed', attempts: deaths.length, delayMs: 1 }, logger, ...options });
  for (let n = 0; n < deaths.length; n++) {
    await completed(job, (job.metrics().checkpoints?.completed ?? 0) + 1 + random.below(MOST_EPOCHS));
    shared.arm(1 + random.below(MOST_RECORDS));
    await until(job, () => job.metrics().restarts > n && job.status === 'running');
    restoredEpochs.push(job.metrics().checkpoints?.restoredEpoch);
  }
  return { result: await job.completion, errors, noticedMs, restoredEpochs };
}

function completed(job: Job, epochs: number): Promise<void> {
  return until(job, () => (job.metrics().checkpoints?.completed ?? 0) >= epochs);
}

/** Looks again and again; a job that has ended is not waited for. */
async function until(job: Job, holds: () => boolean): Promise<void> {
  while (!ENDED.has(job.status) && !holds()) await new Promise((resolve) => setTimeout(resolve, 1));
}

const ENDED: ReadonlySet<string> = new Set(['finished', 'stopped', 'failed', 'canceled']);
