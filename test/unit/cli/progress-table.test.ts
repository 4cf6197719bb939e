import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';

import type { JobProgress, OperatorProgress } from '../../../ts/cli/progress/job-sampler.ts';
import { progressTable } from '../../../ts/cli/progress/progress-table.ts';

const operator = (name: string, rest: Partial<OperatorProgress> = {}): OperatorProgress => ({
  name, instances: 2, recordsIn: 1_234_567, recordsOut: 1_200_000, recordsPerSecond: 402_000, queueFill: undefined, mark: undefined, ...rest,
});
const job = (operators: readonly OperatorProgress[], rest: Partial<JobProgress> = {}): JobProgress => ({
  name: 'orders', status: 'running', elapsedMs: 72_000, recordsIn: 1_234_567, recordsOut: 340, recordsPerSecond: 402_000, operators, ...rest,
});
const wide = { columns: 100, rows: 40, hasColours: false };
const three = [operator('source', { mark: 'backpressure' }), operator('parse and check'), operator('sink', { queueFill: 0.987, recordsOut: 0, mark: 'idle' })];

describe('the table', () => {
  test('has a line for each operator', () => {
    expect(progressTable([job(three)], wide)).toEqual([
      'orders: running for 1 min 12 s, 1.23 M records in (402.0 k/s), 340 out',
      '  operator        inst       in      out   rate/s queue',
      '  source             2   1.23 M   1.20 M  402.0 k        [backpressure]',
      '  parse and check    2   1.23 M   1.20 M  402.0 k      ',
      '  sink               2   1.23 M        0  402.0 k   99%  [idle]',
    ]);
  });

  test('is the one that docs/command-line.md shows', () => {
    const page = readFileSync(new URL('../../../docs/command-line.md', import.meta.url), 'utf8');
    expect(page).toContain(progressTable([job(three)], wide).map((line) => line.trimEnd()).join('\n'));
  });

  test('loses columns on a narrow terminal, the mark last', () => {
    const line = (columns: number): string => progressTable([job(three)], { ...wide, columns })[2]!.replaceAll(/ +/g, ' ').trim();
    expect(line(70)).toBe('source 2 1.23 M 1.20 M 402.0 k [backpressure]');
    expect(line(60)).toBe('source 2 1.23 M 402.0 k [backpressure]');
    expect(line(50)).toBe('source 2 402.0 k [backpressure]');
    expect(line(45)).toBe('source 402.0 k [backpressure]');
    expect(line(34)).toBe('source [backpressure]');
  });

  test('says what it leaves out on a low terminal', () => {
    const lines = progressTable([job(Array.from({ length: 30 }, (_, n) => operator(`step ${n}`)))], { ...wide, rows: 10 });
    expect(lines).toHaveLength(9);
    expect(lines.at(-1)).toBe('  ... and 24 more lines');
  });

  test('has colours only where they are wanted, and takes no commands from names', () => {
    // eslint-disable-next-line no-control-regex
    expect(progressTable([job(three)], wide).join('')).not.toMatch(/\u001B/);
    const coloured = progressTable([job(three)], { ...wide, hasColours: true });
    expect(coloured[2]).toContain('\u001B[33m[backpressure]\u001B[39m');
    expect(coloured.map((line) => stripVTControlCharacters(line))).toEqual(progressTable([job(three)], wide));
    expect(progressTable([job([operator('a\n\u001B[2Jb')])], wide)[2]).toMatch(/^ {2}a··\[2Jb /);
  });

  test('never has a line that a terminal would wrap, nor more lines than it has', () => {
    const names = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.constantFrom('数据源', 'wörter', '🚀 launch'));
    const operators = fc.array(
      fc.record({ name: names, recordsIn: fc.nat(), queueFill: fc.option(fc.double({ min: 0, max: 50, noNaN: true }), { nil: undefined }), mark: fc.constantFrom(undefined, 'backpressure', 'idle', 'done') }),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(names, operators, fc.integer({ min: 1, max: 150 }), fc.integer({ min: 1, max: 30 }), fc.boolean(), (name, rows, columns, height, hasColours) => {
        const lines = progressTable([job(rows.map((row) => operator(row.name, row as Partial<OperatorProgress>)), { name })], { columns, rows: height, hasColours });
        expect(lines.length).toBeLessThan(Math.max(2, height));
        for (const line of lines) {
          const text = stripVTControlCharacters(line);
          // An independent, cruder measure: nothing beyond ASCII is narrower than one column, what is wide is at most two
          const narrowest = [...text].filter((character) => !/[\p{Mn}\p{Me}\p{Cf}]/u.test(character)).length;
          expect(narrowest).toBeLessThan(Math.max(2, columns));
          expect(text).not.toMatch(/\p{Cc}/u);
        }
      }),
    );
  });
});
