/**
 * A long generated stream through standard input: `npm run bench:stdin -- [--gib <n>]`, 10 GiB when nothing is said.
 *
 * One process writes JSON lines into a pipe, another reads them with `FileSource.jsonLines('-')`. Every line must arrive, and the
 * memory of the reader must be flat: what it takes beyond its first tenth is judged.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { describeMachine } from '../harness/machine.ts';
import { type ChildOutput, childOutput, reportIn } from './child-output.ts';

const MOST_GROWTH_MIB = 64;

interface Written {
  readonly lines: number;
  readonly sum: number;
  readonly bytes: number;
}

interface Read {
  readonly lines: number;
  readonly sum: number;
  readonly seconds: number;
  readonly atTenthMiB: number;
  readonly mostMiB: number;
}

const { values } = parseArgs({ options: { gib: { type: 'string', default: '10' } } });
const bytes = Number(values.gib) * 2 ** 30;
if (!(bytes > 0)) throw new RangeError(`--gib ${values.gib} is no number of gibibytes`);

const part = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const writer = spawn(process.execPath, [part('line-writer.ts'), String(bytes)], { stdio: ['ignore', 'pipe', 'pipe'] });
const reader = spawn(process.execPath, [part('line-reader.ts'), String(bytes)], { stdio: [writer.stdout, 'pipe', 'pipe'] });
// The reader has the pipe; this process must not read from it.
writer.stdout.destroy();
const outcomes = await Promise.allSettled([childOutput('the writer', writer), childOutput('the reader', reader)]);
// One that breaks takes the other with it: both say how they ended.
const failures = outcomes.filter((outcome) => outcome.status === 'rejected');
for (const { reason } of failures) console.error((reason as Error).message);
if (failures.length > 0) process.exit(1);
const [ofWriter, ofReader] = outcomes.map((outcome) => (outcome as PromiseFulfilledResult<ChildOutput>).value) as [ChildOutput, ChildOutput];
const written = reportIn<Written>('the writer', ofWriter.stderr);
const read = reportIn<Read>('the reader', ofReader.stdout);

const growthMiB = Math.max(0, read.mostMiB - read.atTenthMiB);
const isComplete = read.lines === written.lines && read.sum === written.sum;
console.log(describeMachine());
console.log(`${(written.bytes / 2 ** 30).toFixed(2)} GiB, ${written.lines} lines in ${read.seconds.toFixed(1)} s (${(written.bytes / 2 ** 20 / read.seconds).toFixed(0)} MiB/s)`);
console.log(`lines and their sum: ${isComplete ? 'equal' : `WRONG, ${read.lines} of ${written.lines} lines, ${read.sum} of ${written.sum}`}`);
console.log(`memory of the reader: ${read.atTenthMiB.toFixed(0)} MiB in the first tenth, ${read.mostMiB.toFixed(0)} MiB at most; growth ${growthMiB.toFixed(0)} MiB (at most ${MOST_GROWTH_MIB})`);
if (!isComplete || growthMiB > MOST_GROWTH_MIB) process.exitCode = 1;
