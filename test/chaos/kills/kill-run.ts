import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { SeededRandom } from '../../../ts/testing/seeded-random.ts';
import { runScript, type ScriptOutcome } from '../../e2e/support/run-script.ts';
import type { ProcessArgs } from './killed-process.ts';
import { type Life, readLife } from './process-log.ts';
import { leftOver, outOfOrder, resultsOf } from './results.ts';
import { shapes } from './shapes.ts';
import { readingAt } from './witness.ts';

const script = fileURLToPath(new URL('killed-process.ts', import.meta.url));

/** Kills of one case, at most: it may come to its end before. */
export const KILLS = 4;
/** One kill of so many comes before the process has written a checkpoint. */
const EARLY = 8;
/** Checkpoints that a process writes before it is killed, at most. */
const MOST_EPOCHS = 3;
/** Records from the checkpoint to the kill, at most. */
const MOST_RECORDS = 400;
/** Time from the checkpoint to the kill, at most. */
const MOST_DELAY_MS = 12;

/** What became of one kill. */
export interface Kill {
  /** The process that was killed had written a checkpoint. */
  readonly isAfterEpoch: boolean;
  /** Records that the process before had seen and the next one did not read again. */
  readonly recovered: number;
  /** Records that were read again. */
  readonly readAgain: number;
}

/** One case, by its seed. */
export interface KillRun {
  readonly seed: number;
  readonly shape: string;
  readonly parallelism: number;
  readonly records: number;
  readonly kills: readonly Kill[];
}

/** A place for the files of cases, and what the undisturbed runs gave. */
export class KillGround {
  readonly #directory = mkdtempSync(join(tmpdir(), 'sage-kills-'));
  readonly #whole = new Map<string, readonly string[]>();

  constructor() {
    const most = Math.max(...Object.values(shapes).map(({ records }) => records));
    writeFileSync(this.path('in.jsonl'), Array.from({ length: most }, (_, n) => `${JSON.stringify(readingAt(n))}\n`).join(''));
  }

  path(name: string): string {
    return join(this.#directory, name);
  }

  /** What a pipeline gives that nobody disturbs. */
  async whole(shape: string): Promise<readonly string[]> {
    const known = this.#whole.get(shape);
    if (known !== undefined) return known;
    const out = this.path(`whole ${shape}`);
    const { pipeline, records } = shapes[shape]!;
    await pipeline.run({ input: this.path('in.jsonl'), records, out });
    const results = resultsOf(out);
    if (results.length === 0) throw new Error(`${shape}: no results`);
    this.#whole.set(shape, results);
    return results;
  }

  /** Runs a process, which `onArmed` may kill. */
  process(args: Omit<ProcessArgs, 'input'>, env: NodeJS.ProcessEnv = {}, onArmed?: (kill: () => void) => void): Promise<ScriptOutcome> {
    let isArmed = false;
    return runScript(script, [JSON.stringify({ ...args, input: this.path('in.jsonl') } satisfies ProcessArgs)], {
      env,
      onOutput(stdout, kill) {
        if (isArmed || !stdout.includes('armed')) return;
        isArmed = true;
        onArmed?.(() => kill('SIGKILL'));
      },
    });
  }

  /**
   * Kills the processes of one case, and lets the last one end.
   *
   * @throws Error when the result is not the undisturbed one, or more was read again than had to be
   */
  async run(seed: number): Promise<KillRun> {
    const random = new SeededRandom(seed);
    const names = Object.keys(shapes);
    const shape = names[seed % names.length]!;
    const parallelism = 1 + random.below(3);
    const whole = await this.whole(shape);
    const [out, dir] = [this.path(`out-${seed}`), this.path(`checkpoints-${seed}`)];
    const lives: Life[] = [];
    for (let attempt = 0; attempt <= KILLS; attempt++) {
      const log = this.path(`log-${seed}-${attempt}`);
      const epochs = (seed * KILLS + attempt) % EARLY === EARLY - 1 ? 0 : 1 + random.below(MOST_EPOCHS);
      // By itself in the middle of a record, or from outside whatever it does just then.
      const records = random.below(2) === 0 ? 1 + random.below(MOST_RECORDS) : 0;
      const delayMs = random.below(MOST_DELAY_MS);
      const args = { shape, out, dir, log, parallelism, retained: 1 + (seed % 3), pauseMs: random.below(6) };
      const { stderr, code, signal } = await this.process(attempt === KILLS ? args : { ...args, kill: { epochs, records } }, {}, (kill) => {
        if (records === 0) setTimeout(kill, delayMs);
      });
      const life = readLife(log);
      lives.push(life);
      // A process that is killed says nothing; of one that ended there is the status.
      if (stderr !== '' || (signal !== 'SIGKILL' && (code !== 0 || life.status !== 'finished'))) {
        throw new Error(`${describe(seed, shape, parallelism)}: process ${attempt} ended with ${signal ?? code} (${life.status ?? 'no status'})\n${stderr}`);
      }
      if (life.status !== undefined && signal === null) break;
    }
    const kills = lives.slice(1).map((life, index) => judge(life, lives[index]!, `${describe(seed, shape, parallelism)}: process ${index + 1}`));
    this.#compare(seed, shape, parallelism, whole, out);
    rmSync(out, { recursive: true });
    rmSync(dir, { recursive: true });
    return { seed, shape, parallelism, records: shapes[shape]!.records, kills };
  }

  #compare(seed: number, shape: string, parallelism: number, whole: readonly string[], out: string): void {
    const results = resultsOf(out);
    const different = whole.findIndex((line, index) => line !== results[index]);
    if (different >= 0 || whole.length !== results.length) {
      throw new Error(`${describe(seed, shape, parallelism)}: ${results.length} results, ${whole.length} without kills; at ${different}: ${results[different]}, without kills ${whole[different]}`);
    }
    const { order } = shapes[shape]!;
    const misplaced = order === undefined ? undefined : outOfOrder(out, order);
    if (misplaced !== undefined) throw new Error(`${describe(seed, shape, parallelism)}: out of the order of its key: ${misplaced}`);
    const left = leftOver(out);
    if (left.length > 0) throw new Error(`${describe(seed, shape, parallelism)}: left over: ${left.join(', ')}`);
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

function describe(seed: number, shape: string, parallelism: number): string {
  return `seed ${seed} (${shape}, parallelism ${parallelism}; npm run chaos -- --case ${seed})`;
}

/** What a process read again of what the one before it had: at most what came after that had begun its last checkpoint. */
function judge(life: Life, before: Life, what: string): Kill {
  if (life.restored < before.completed) throw new Error(`${what} went on from checkpoint ${life.restored}, and ${before.completed} had been written`);
  const read = new Set(life.records);
  const again = before.before.filter((n) => read.has(n));
  if (again.length > 0) throw new Error(`${what} read ${again.length} records again that are in checkpoint ${before.completed}, such as ${again[0]}`);
  if (before.epochs > 0 && life.restored === 0) throw new Error(`${what} went on from nothing`);
  const readAgain = before.records.filter((n) => read.has(n)).length;
  return { isAfterEpoch: before.epochs > 0, recovered: before.records.length - readAgain, readAgain };
}
