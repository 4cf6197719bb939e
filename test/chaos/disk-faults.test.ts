// What becomes of jobs whose checkpoints are damaged, cannot be written, or belong to another process.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { describe, expect, it, vi } from 'vitest';

import { END, type Job, JsonLinesSink, LocalEnvironment, type Logger, type Seekable, SourceFunction } from '../../ts/index.ts';
import { Workplace } from '../e2e/checkpoints/interrupted.ts';
import { runScript } from '../e2e/support/run-script.ts';

vi.setConfig({ testTimeout: 60_000 });

const RECORDS = 300;
const STEP = 100;
const expected = Array.from({ length: RECORDS }, (_, n) => `${JSON.stringify({ n })}\n`).join('');

/** A job whose source rests every hundred records, until it is told to go on. */
class Rested {
  readonly warnings: string[] = [];
  #next: PromiseWithResolvers<void>[] = [Promise.withResolvers(), Promise.withResolvers(), Promise.withResolvers()];
  readonly #at: PromiseWithResolvers<void>[] = [Promise.withResolvers(), Promise.withResolvers(), Promise.withResolvers()];
  readonly #dir: string;
  readonly #out: string;

  constructor(dir: string, out: string) {
    this.#dir = dir;
    this.#out = out;
  }

  async start(): Promise<Job> {
    const [next, at] = [this.#next, this.#at];
    class Numbers extends SourceFunction<{ n: number }> implements Seekable<number> {
      #n = 0;
      execute(): { n: number } | typeof END | Promise<{ n: number } | typeof END> {
        if (this.#n === 0 || this.#n % STEP > 0) return { n: this.#n++ };
        const rest = this.#n / STEP - 1;
        at[rest]!.resolve();
        return next[rest]!.promise.then(() => (this.#n === RECORDS ? END : { n: this.#n++ }));
      }
      position(): number {
        return this.#n;
      }
      seek(position: number): void {
        this.#n = position;
      }
    }
    const note = (...said: unknown[]): void => void this.warnings.push(said.map(String).join(' '));
    const logger: Logger = { debug: () => {}, info: () => {}, warn: note, error: note, child: () => logger };
    const env = new LocalEnvironment('disk', { logger, checkpoint: { dir: this.#dir, retained: 5 } });
    env.fromSource(Numbers).sink(new JsonLinesSink(this.#out));
    return env.submit({ from: 'latest' });
  }

  /** Until the source rests behind so many hundreds. */
  async at(hundreds: number): Promise<void> {
    await this.#at[hundreds - 1]!.promise;
  }

  /** It goes on to the next rest; without a number to the end. */
  goOn(hundreds?: number): void {
    for (const [index, { resolve }] of this.#next.entries()) if (hundreds === undefined || index < hundreds) resolve();
  }
}

/** Two checkpoints, behind 100 and 200 records, and no end. */
async function twoEpochs(place: Workplace): Promise<string[]> {
  const rested = new Rested(place.path('checkpoints'), place.path('out.jsonl'));
  const job = await rested.start();
  await rested.at(1);
  await job.checkpoint();
  rested.goOn(1);
  await rested.at(2);
  await job.checkpoint();
  await job.cancel();
  return readdirSync(place.path('checkpoints')).filter((name) => name.endsWith('.ckpt')).toSorted().map((name) => join(place.path('checkpoints'), name));
}

async function goneOn(place: Workplace): Promise<{ readonly restored: number | undefined; readonly warnings: readonly string[] }> {
  const rested = new Rested(place.path('checkpoints'), place.path('out.jsonl'));
  rested.goOn();
  const job = await rested.start();
  const restored = job.metrics().checkpoints?.restoredEpoch;
  await job.completion;
  return { restored, warnings: rested.warnings };
}

/** Mounts a directory over itself so that nobody can write to it, root neither. Nothing where that is not allowed. */
function readOnly(dir: string): (() => void) | undefined {
  if (spawnSync('mount', ['--bind', dir, dir]).status !== 0) return undefined;
  const unlock = (): void => void spawnSync('umount', [dir]);
  if (spawnSync('mount', ['-o', 'remount,bind,ro', dir]).status === 0) return unlock;
  unlock();
  return undefined;
}

describe('a damaged checkpoint', () => {
  it.each([
    ['one bit of the newest is another one', (path: string) => {
      const bytes = readFileSync(path);
      bytes[Math.floor(bytes.length / 2)]! ^= 1;
      writeFileSync(path, bytes);
    }],
    ['the newest lacks its last bytes', (path: string) => truncateSync(path, readFileSync(path).length - 20)],
    ['the newest is empty', (path: string) => truncateSync(path, 0)],
  ])('given that %s, when the job goes on, then it does so from the one before, says which file is damaged, and the result is exact', async (_what, damage) => {
    using place = new Workplace();
    const [, newest] = await twoEpochs(place);
    damage(newest!);
    const { restored, warnings } = await goneOn(place);
    expect(restored).toBe(1);
    expect(warnings.join('\n')).toContain(newest);
    expect(place.read('out.jsonl', true)).toBe(expected);
  });

  it('given that all are damaged, when the job goes on, then it is refused: a start from nothing would look like success', async () => {
    using place = new Workplace();
    const paths = await twoEpochs(place);
    for (const path of paths) truncateSync(path, 10);
    const error = await goneOn(place).then(() => undefined, (reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'SAGE_CHECKPOINT_DAMAGED', message: expect.stringContaining(place.path('checkpoints')) as string });
    // The reason behind it names the newest file.
    expect(inspect(error, { depth: 5 })).toContain(paths[1]);
  });
});

describe('a checkpoint that cannot be written', () => {
  it('given that its directory is removed, when one is asked for, then that one fails and is counted, and the job goes on', async () => {
    using place = new Workplace();
    const rested = new Rested(place.path('checkpoints'), place.path('out.jsonl'));
    const job = await rested.start();
    await rested.at(1);
    await job.checkpoint();
    rmSync(place.path('checkpoints'), { recursive: true });
    rested.goOn(1);
    await rested.at(2);
    await expect(job.checkpoint()).rejects.toMatchObject({ code: expect.stringMatching(/^SAGE_IO_/) as string, message: expect.stringContaining(place.path('checkpoints')) as string });
    expect(job.metrics().checkpoints).toMatchObject({ completed: 1, failed: 1 });
    expect(job.status).toBe('running');
    // Someone puts it back: the next one is whole.
    mkdirSync(place.path('checkpoints'));
    await job.checkpoint();
    rested.goOn();
    await job.completion;
    expect(place.read('out.jsonl', true)).toBe(expected);
  });

  it('given that its directory is gone at the end, when the job ends, then it fails: nobody could go on from it', async () => {
    using place = new Workplace();
    const rested = new Rested(place.path('checkpoints'), place.path('out.jsonl'));
    const job = await rested.start();
    await rested.at(1);
    rmSync(place.path('checkpoints'), { recursive: true });
    rested.goOn();
    await expect(job.completion).rejects.toMatchObject({ code: expect.stringMatching(/^SAGE_IO_/) as string, message: expect.stringContaining(place.path('checkpoints')) as string });
    // There is nothing to go on from: another one begins anew, and nothing of the first is in its way.
    const { restored } = await goneOn(place);
    expect(restored).toBeUndefined();
    expect(place.read('out.jsonl', true)).toBe(expected);
  });

  it('given a directory that becomes read-only, when one is asked for, then that one fails and says so, and the next is whole when it can be written to again', async ({ skip }) => {
    using place = new Workplace();
    const dir = place.path('checkpoints');
    const rested = new Rested(dir, place.path('out.jsonl'));
    const job = await rested.start();
    await rested.at(1);
    await job.checkpoint();
    const unlock = readOnly(dir);
    try {
      if (unlock === undefined) await job.cancel();
      skip(unlock === undefined, 'nothing can be mounted here');
      rested.goOn(1);
      await rested.at(2);
      await expect(job.checkpoint()).rejects.toMatchObject({ code: 'SAGE_IO_PERMISSION', message: expect.stringContaining(dir) as string });
      expect(job.metrics().checkpoints).toMatchObject({ completed: 1, failed: 1 });
      expect(job.status).toBe('running');
      expect(rested.warnings.join('\n')).toContain(dir);
    } finally {
      unlock?.();
    }
    await job.checkpoint();
    await job.cancel();
    expect(await goneOn(place)).toMatchObject({ restored: 3, warnings: [] });
    expect(place.read('out.jsonl', true)).toBe(expected);
  });

  it('given a directory that is read-only, when a job is submitted, then it is refused before anything runs, and goes on when it can be written to again', async ({ skip }) => {
    using place = new Workplace();
    await twoEpochs(place);
    const dir = place.path('checkpoints');
    const unlock = readOnly(dir);
    skip(unlock === undefined, 'nothing can be mounted here');
    try {
      await expect(new Rested(dir, place.path('out.jsonl')).start()).rejects.toMatchObject({ code: 'SAGE_IO_PERMISSION', message: expect.stringContaining(dir) as string });
    } finally {
      unlock?.();
    }
    expect(await goneOn(place)).toMatchObject({ restored: 2, warnings: [] });
    expect(place.read('out.jsonl', true)).toBe(expected);
  });

  it('given a disk that is full, when one is asked for, then it fails with that reason, and the next is whole when there is room', async ({ skip }) => {
    using place = new Workplace();
    mkdirSync(place.path('checkpoints'));
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', place.path('checkpoints')]);
    skip(mounted.status !== 0, 'no file system can be mounted here');
    try {
      const rested = new Rested(place.path('checkpoints'), place.path('out.jsonl'));
      const job = await rested.start();
      await rested.at(1);
      const full = spawnSync('sh', ['-c', 'cat /dev/zero > "$0"', place.path('checkpoints/filler')]);
      expect(String(full.stderr)).toMatch(/No space left/);
      await expect(job.checkpoint()).rejects.toMatchObject({ code: expect.stringMatching(/^SAGE_IO_/) as string });
      expect(job.status).toBe('running');
      rmSync(place.path('checkpoints/filler'));
      await job.checkpoint();
      rested.goOn();
      await job.completion;
      expect(place.read('out.jsonl', true)).toBe(expected);
    } finally {
      spawnSync('umount', [place.path('checkpoints')]);
    }
  });
});

describe('two processes and one directory', () => {
  it('given a job that has it, when another process wants it, then it is refused with the process that has it', async () => {
    using place = new Workplace();
    const rested = new Rested(place.path('checkpoints'), place.path('out.jsonl'));
    const job = await rested.start();
    await rested.at(1);
    const { stdout } = await runScript(fileURLToPath(new URL('scripts/second-process.ts', import.meta.url)), [place.path('checkpoints')]);
    expect(stdout).toContain('SAGE_CHECKPOINT_LOCKED');
    expect(stdout).toContain(String(process.pid));
    rested.goOn();
    await job.completion;
    expect(place.read('out.jsonl', true)).toBe(expected);
  });
});
