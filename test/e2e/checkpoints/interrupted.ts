import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { type EnvironmentConfig, LocalEnvironment, type JobResult } from '../../../ts/index.ts';
import { SeededRandom } from '../../../ts/testing/seeded-random.ts';

/** A directory of a test, with its files. */
export class Workplace {
  readonly #directory = mkdtempSync(join(tmpdir(), 'sage-checkpoints-'));

  path(name: string): string {
    return join(this.#directory, name);
  }

  write(name: string, lines: readonly unknown[]): string {
    writeFileSync(this.path(name), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    return this.path(name);
  }

  /** The records of a file, in order where `isOrdered`. */
  read(name: string, isOrdered: boolean): string {
    const lines = readFileSync(this.path(name), 'utf8').split('\n');
    return (isOrdered ? lines : lines.toSorted()).join('\n');
  }

  remove(name: string): void {
    rmSync(this.path(name));
  }

  /** Makes a directory; its path. */
  directory(name: string): string {
    mkdirSync(this.path(name));
    return this.path(name);
  }

  removeDirectory(name: string): void {
    rmSync(this.path(name), { recursive: true });
  }

  /** What another process is to go on with, or left: no name of a result begins with a dot. */
  hidden(): string[] {
    return readdirSync(this.#directory, { recursive: true, encoding: 'utf8' }).filter((name) => basename(name).startsWith('.'));
  }

  /** The names of the files that begin so. */
  names(prefix: string): string[] {
    return readdirSync(this.#directory).filter((name) => name.startsWith(prefix)).toSorted();
  }

  /** The names of the files of a directory that begin so. */
  namesIn(directory: string, prefix: string): string[] {
    return readdirSync(this.path(directory)).filter((name) => name.startsWith(prefix));
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** What a pipeline is built with: `touch` is to be called for each record. */
export interface Build {
  (environment: LocalEnvironment, out: string, touch: () => void): void;
}

/** Runs it from its beginning to its end, without checkpoints. */
export async function undisturbed(build: Build, out: string, config: EnvironmentConfig = {}): Promise<void> {
  const environment = new LocalEnvironment('whole', config);
  build(environment, out, () => undefined);
  await environment.submit({ autostop: true });
}

/** How an attempt may end. */
export type Ending = 'cancel' | 'fail' | 'stop';

export interface Interrupted {
  readonly dir: string;
  readonly seed: number;
  /** Of each attempt, one after the other; the last one for all that follow. */
  readonly parallelism: readonly number[];
  /** Records after which an attempt is ended, at most. */
  readonly records: number;
  readonly attempts: number;
  /** How attempts end; cancelled or failed when left away. */
  readonly endings?: readonly Ending[];
}

export interface Ended {
  readonly result: JobResult;
  /** Attempts that went on from a checkpoint. */
  readonly resumed: number;
}

/** Takes so long that what happens meanwhile is over before all records are. */
function dawdle(): void {
  const until = performance.now() + 0.02;
  while (performance.now() < until);
}

/**
 * Runs it again and again, each time from the newest checkpoint, and ends it after some records; the last attempt comes to its end. Every other attempt, the
 * first among them, is only ended when a checkpoint has been written on demand: so that there is something to go on from, however fast it is.
 */
export async function interrupted(build: Build, out: string, { dir, seed, parallelism, records, attempts, endings = ['cancel', 'fail'] }: Interrupted): Promise<Ended> {
  const random = new SeededRandom(seed);
  let resumed = 0;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const environment = environmentOf(attempt, dir, parallelism);
    let left = 1 + random.below(records);
    let awaitsCheckpoint = attempt % 2 === 0;
    let checkpointIn = 1 + random.below(left);
    const ending = endings[random.below(endings.length)]!;
    const hit = Promise.withResolvers<'cut'>();
    const wanted = Promise.withResolvers<'checkpoint'>();
    build(environment, out, () => {
      if (--checkpointIn === 0) wanted.resolve('checkpoint');
      if (--left > 0) return;
      if (awaitsCheckpoint) return dawdle();
      hit.resolve('cut');
      if (ending === 'fail') throw new Error('it was to fail here');
    });
    const job = await environment.submit({ from: 'latest' });
    if (job.metrics().checkpoints?.restoredEpoch !== undefined) resumed++;
    const end = job.completion.then(() => 'end' as const, () => 'end' as const);
    void wanted.promise.then(() => job.checkpoint()).then(() => (awaitsCheckpoint = false), () => undefined);
    if ((await Promise.race([hit.promise, end])) === 'cut') await (ending === 'stop' ? job.stop().catch(() => undefined) : job.cancel());
    await end;
  }
  const environment = environmentOf(attempts, dir, parallelism);
  build(environment, out, () => undefined);
  const job = await environment.submit({ from: 'latest' });
  if (job.metrics().checkpoints?.restoredEpoch !== undefined) resumed++;
  return { result: await job.completion, resumed };
}

function environmentOf(attempt: number, dir: string, parallelism: readonly number[]): LocalEnvironment {
  const instances = parallelism[Math.min(attempt, parallelism.length - 1)]!;
  return new LocalEnvironment('interrupted', { parallelism: instances, checkpoint: { dir, intervalMs: 2 } });
}
