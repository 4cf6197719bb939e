// Processes that are killed while they write files, and started again.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

import { FileSource, LocalEnvironment, ParquetSink } from '../../../ts/index.ts';
import { SeededRandom } from '../../../ts/testing/seeded-random.ts';
import { recordsOf } from '../support/run-to-array.ts';
import { runScript } from '../support/run-script.ts';
import { Workplace } from './interrupted.ts';

const script = fileURLToPath(new URL('scripts/files-script.ts', import.meta.url));

interface Row {
  readonly n: number;
}

const RECORDS = 40_000;
const KILLS = 3;
/** Processes that start one after the other, on a busy machine. */
const TIMEOUT_MS = 180_000;
const rows: readonly Row[] = Array.from({ length: RECORDS }, (_, n) => ({ n }));

async function input(place: Workplace, format: string): Promise<string> {
  if (format === 'parquet') {
    const env = new LocalEnvironment('write');
    env.fromCollection(rows).sink(new ParquetSink(place.path('in.parquet'), { rowGroupRows: 1500 }));
    await env.submit({ autostop: true });
    return place.path('in.parquet');
  }
  writeFileSync(place.path('in.csv'), `n\n${rows.map(({ n }) => `${n}\n`).join('')}`);
  return place.path('in.csv');
}

describe.each(['csv', 'parquet'])('a process that writes files from %s', (format) => {
  it.each([1, 2])('given that it is killed again and again, when it goes on from the newest checkpoint, then each record is there once (parallelism %i)', async (instances) => {
    using place = new Workplace();
    const source = await input(place, format);
    const out = `${place.path('out')}/`;
    const random = new SeededRandom(instances);
    const restored: number[] = [];
    let last = '';
    for (let attempt = 0; attempt <= KILLS; attempt++) {
      const epochs = attempt === KILLS ? Number.POSITIVE_INFINITY : 1 + random.below(4);
      const { stdout, stderr } = await runScript(script, [format, source, out, place.path('checkpoints'), String(instances)], {
        onOutput: (text, kill) => {
          if (text.split('\n').filter((line) => line === 'epoch').length >= epochs) kill('SIGKILL');
        },
      });
      expect(stderr).toBe('');
      const lines = stdout.trim().split('\n');
      restored.push(Number(lines[0]!.replace('restored ', '')));
      last = lines.at(-1)!;
    }
    expect(last).toMatch(/^finished /);
    // The first one begins from nothing, and each later one behind the one before: none had come to its end.
    expect(restored[0]).toBe(0);
    expect(restored.slice(1).every((epoch, index) => epoch > restored[index]!)).toBe(true);
    const written = await recordsOf((env) => env.fromSource(format === 'parquet' ? FileSource.parquet<Row>(out) : FileSource.jsonLines<Row>(out)), { parallelism: 1 });
    expect(written.toSorted((a, b) => a.n - b.n)).toEqual(rows);
  }, TIMEOUT_MS);
});
