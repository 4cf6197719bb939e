import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { runScript } from '../../e2e/support/run-script.ts';
import { slopeOf } from './half-hour.ts';
import type { SoakedArgs } from './soaked-process.ts';

const script = fileURLToPath(new URL('soaked-process.ts', import.meta.url));
const KEYS = 100;
const PER_SECOND = 1000;
const LIFE_MS = 5_000;

/** While it lives a process gets a reading each millisecond; it has to have worked for so much of the time. */
const LEAST_SHARE = 0.4;

/** The most that a process held while it lived. */
interface Most {
  readonly residentBytes: number;
  readonly files: number;
  readonly threads: number;
}

/**
 * Runs a job for so long in real time, in processes that are killed with SIGKILL every five seconds.
 *
 * @throws Error when a reading is missing, is there twice or out of its place
 */
export async function soakProcesses(minutes: number, say: (line: string) => void): Promise<void> {
  const place = mkdtempSync(join(tmpdir(), 'sage-soak-'));
  try {
    const out = join(place, 'out');
    mkdirSync(out);
    const lives: Most[] = [];
    const args = { untilMs: Date.now() + minutes * 60_000, perSecond: PER_SECOND, dir: join(place, 'checkpoints'), out: `${out}/` };
    for (let life = 0; ; life++) {
      const log = join(place, `log-${life}`);
      let timer: NodeJS.Timeout | undefined;
      const { code, signal, stderr } = await runScript(script, [JSON.stringify({ ...args, log } satisfies SoakedArgs)], {
        onOutput(_, kill) {
          timer ??= setTimeout(() => kill('SIGKILL'), LIFE_MS);
        },
      });
      clearTimeout(timer);
      lives.push(mostOf(log));
      rmSync(log, { force: true });
      if (code === 0) break;
      if (signal !== 'SIGKILL') throw new Error(`process ${life} ended with ${signal ?? code}\n${stderr}`);
      if (life % 60 === 59) say(`${life + 1} processes killed`);
    }
    const records = check(out);
    if (records < LEAST_SHARE * minutes * 60 * PER_SECOND) throw new Error(`only ${records} readings in ${minutes} minutes`);
    const [first, last] = [lives[0]!, lives.at(-1)!];
    const slope = slopeOf(lives.map(({ residentBytes }) => residentBytes)) / 1024;
    say(`${lives.length - 1} kills in ${minutes} minutes, ${records} readings, each once and in the order of its key`);
    say(`resident ${mebibytes(first.residentBytes)} MiB at first, ${mebibytes(last.residentBytes)} MiB at last: ${slope.toFixed(1)} KiB more with each process; files ${first.files} and ${last.files}, threads ${first.threads} and ${last.threads}`);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

function check(out: string): number {
  const lines = readdirSync(out)
    .filter((name) => name.endsWith('.jsonl'))
    .toSorted()
    .flatMap((name) => readFileSync(join(out, name), 'utf8').split('\n').slice(0, -1));
  const seen = new Set<number>();
  for (const line of lines) {
    const { n, place } = JSON.parse(line) as { readonly n: number; readonly place: number };
    if (seen.has(n)) throw new Error(`${n} is there twice`);
    if (place !== Math.floor(n / KEYS) + 1) throw new Error(`${n} has the place ${place} of its key, and not ${Math.floor(n / KEYS) + 1}`);
    seen.add(n);
  }
  for (let n = 0; n < seen.size; n++) if (!seen.has(n)) throw new Error(`reading ${n} is missing`);
  return seen.size;
}

function mostOf(log: string): Most {
  const held = readFileSync(log, 'utf8').split('\n').slice(0, -1).map((line) => JSON.parse(line) as Most);
  const most = (of: (one: Most) => number): number => Math.max(0, ...held.map(of));
  return { residentBytes: most((one) => one.residentBytes), files: most((one) => one.files), threads: most((one) => one.threads) };
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}
