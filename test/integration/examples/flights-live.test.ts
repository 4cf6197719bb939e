import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

import { exampleFolder, TIMEOUT_MS } from './example-run.ts';

// Against what Polars makes of the same flights: `flights-live/cross_check.py` says how, and wrote the files beside it.

const { run, recordsOf } = exampleFolder();

const FOLDER = fileURLToPath(new URL('flights-live/', import.meta.url));
const CROSS_CHECK = `${FOLDER}cross_check.py`;

/** The lines of a golden file, without the names of its columns, in an order of their own. */
const golden = (name: string): string[] => readFileSync(`${FOLDER}${name}.csv`, 'utf8').trimEnd().split('\n').slice(1).toSorted();

interface Windowed {
  readonly key: string;
  readonly window: { readonly start: number; readonly end: number };
  readonly flights: number;
  readonly minutes: number;
  readonly mean: number;
  readonly worst: number;
}

interface Report {
  readonly origin: string;
  readonly destination: string;
  readonly delay: number;
  readonly departure: number;
  readonly reported: number;
}

const output = <T>(name: string): T[] => recordsOf<T>(`out/flights-live/${name}.jsonl`);
const lines = <T>(name: string, line: (record: T) => readonly unknown[]): string[] => output<T>(name).map((record) => line(record).join()).toSorted();
const reportLine = ({ origin, destination, delay, departure, reported }: Report): readonly unknown[] => [origin, destination, delay, departure, reported];

const forms = [
  ['generated code', {}],
  ['the linked form', { SAGE_CODEGEN: '0' }],
] as const;

describe('flights-live', () => {
  for (const [form, env] of forms) {
    test.each(['1', '2', '3'])(`gives what Polars gives, in ${form}, at parallelism %s`, { timeout: TIMEOUT_MS }, (parallelism) => {
      // When
      const printed = run('flights-live', { args: [parallelism], env });
      // Then
      expect(lines<Windowed>('days', ({ key, window, flights, minutes }) => [key, window.start, flights, minutes])).toEqual(golden('days'));
      expect(lines<Windowed>('hours', ({ window, flights, minutes }) => [window.start, flights, minutes])).toEqual(golden('hours'));
      expect(lines<Windowed>('disruptions', ({ key, window, flights, worst }) => [key, window.start, window.end, flights, worst])).toEqual(golden('disruptions'));
      for (const name of ['late-for-days', 'late-for-hours']) expect(lines<Report>(name, reportLine)).toEqual(golden(name));
      for (const { flights, minutes, mean } of [...output<Windowed>('days'), ...output<Windowed>('hours')]) expect(mean).toBe(minutes / flights);
      const late = ['late-for-days', 'late-for-hours'].map((name) => golden(name).length);
      expect(printed).toContain(`113,493 flights; too late for their day ${late[0]}, for all of their hours ${late[1]}, for disruptions 0; results in out/flights-live/`);
      const large = golden('disruptions').filter((line) => Number(line.split(',')[3]) >= 100);
      expect(printed.match(/^[A-Z]{3}: /gm)).toHaveLength(large.length);
    });
  }

  test('some flights are late, and most are not', () => {
    expect(golden('late-for-days').length).toBeGreaterThan(10);
    expect(golden('late-for-hours').length).toBeLessThan(1_000);
  });

  const hasPolars = spawnSync('python3', ['-c', 'import polars']).status === 0;

  test.skipIf(!hasPolars)('the golden files are what Polars gives (skipped where it is not installed)', { timeout: TIMEOUT_MS }, () => {
    const { status, stderr } = spawnSync('python3', [CROSS_CHECK, '--check'], { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
  });
});
