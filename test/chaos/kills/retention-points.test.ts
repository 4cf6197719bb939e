// Processes that end while the files of a checkpoint directory are merged or removed (SAGE_FAULT_POINT), and are started again.
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

import { readSavepoint } from '../../../ts/cli/savepoint/read-savepoint.ts';
import { Workplace } from '../../e2e/checkpoints/interrupted.ts';
import { type ScriptOutcome, runScript } from '../../e2e/support/run-script.ts';
import type { SteppedArgs } from '../scripts/stepped.ts';

const script = fileURLToPath(new URL('../scripts/stepped.ts', import.meta.url));
const KEYS = 400;
const STEPS = 12;
/** Records of each step behind the first, which has all keys. */
const TOUCHED = 10;
/** The first checkpoint that consists of so many files that they are merged. */
const MERGED = 8;
const TIMEOUT_MS = 120_000;

function run(args: SteppedArgs, env: NodeJS.ProcessEnv = {}): Promise<ScriptOutcome> {
  return runScript(script, [JSON.stringify(args)], { env });
}

/** The keys in their order, and how often each has come until then. */
function expected(isKeyed: boolean): string {
  const place = (n: number): object => (isKeyed ? { place: 1 + Math.floor(n / KEYS) } : {});
  const lines = Array.from({ length: KEYS + (STEPS - 1) * TOUCHED }, (_, n) => JSON.stringify({ k: n % KEYS, ...place(n) }));
  return `${lines.join('\n')}\n`;
}

describe('a process that ends while files of checkpoints are merged or removed', () => {
  it.each([
    // Beside the job: it rests behind this checkpoint.
    { point: 'before-merge-rename', epoch: MERGED, isKeyed: true, files: MERGED },
    { point: 'after-merge-rename', epoch: MERGED, isKeyed: true, files: 1 },
    // Each checkpoint stands alone, and the one before is removed.
    { point: 'before-retention', epoch: 3, isKeyed: false, files: 1 },
    { point: 'during-retention', epoch: 3, isKeyed: false, files: 1 },
    { point: 'after-retention', epoch: 3, isKeyed: false, files: 1 },
  ])('given $point of epoch $epoch, when another one goes on, then it does so from this epoch, and the results are the undisturbed ones', async ({ point, epoch, isKeyed, files }) => {
    using place = new Workplace();
    const args = { dir: place.path('checkpoints'), out: place.path('out.jsonl'), isKeyed };
    const first = await run({ ...args, restsBehind: epoch }, { SAGE_FAULT_POINT: `${point}:${epoch}` });
    expect([first.signal, first.stderr, first.stdout]).toEqual(['SIGABRT', `SAGE_FAULT_POINT=${point}:${epoch} ends the process here\n`, 'restored 0\n']);
    expect(readSavepoint(args.dir)).toMatchObject({ epoch, files: { length: files } });
    const second = await run(args);
    expect([second.code, second.stderr, second.stdout]).toEqual([0, '', `restored ${epoch}\n`]);
    expect(place.read('out.jsonl', true)).toBe(expected(isKeyed));
    // What the killed process left behind is gone.
    expect(place.namesIn('checkpoints', 'epoch-').filter((name) => !name.endsWith('.ckpt'))).toEqual([]);
  }, TIMEOUT_MS);
});
