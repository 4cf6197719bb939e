import { beforeEach, describe, expect, it } from 'vitest';

import type { DeadLetter, JobResult } from '../../../ts/index.ts';
import { arrived, isBad, limited, limitedResults, operators, quiet } from '../pipelines/operators.ts';
import { numbers } from '../support/run-to-array.ts';

const RECORDS = 600;
const all = numbers(RECORDS);
const sorted = <T>(values: readonly T[]): T[] => values.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));

beforeEach(() => Object.values(arrived).forEach((list) => (list.length = 0)));

describe.each([2, 3])('all operators in worker threads, %i instances', (parallelism) => {
  it('give what arrays give', async () => {
    const result: JobResult = await operators.run({ records: RECORDS, parallelism });
    expect(result.isolates).toBeGreaterThanOrEqual(2);
    expect(result.edges.filter(({ sent, received }) => sent !== received)).toEqual([]);
    const bad = all.filter(isBad);
    const keyOf = (n: number): number => n % 5;

    const letters = arrived.letters as DeadLetter<number>[];
    expect(sorted(letters.map(({ record, key, error, attempts, operator }) => [record, key, error.message, error.code, attempts, operator]))).toEqual(
      sorted(bad.map((n) => [n, keyOf(n), `bad ${n}`, 'EWORKER', 1, 'tolerant'])),
    );
    expect(sorted(arrived.totals)).toEqual(sorted(numbers(5).map((key) => ({ key, n: all.filter((n) => keyOf(n) === key && !isBad(n)).length }))));
    expect(sorted(arrived.calls)).toEqual(sorted(all.map((n) => [n, keyOf(n), n % 3 === 0 ? 2 : 1])));

    const batches = arrived.batches as number[][];
    expect(sorted(batches.flat())).toEqual(sorted(all));
    expect(batches.every((batch) => batch.length <= 7 && new Set(batch.map(keyOf)).size === 1)).toBe(true);
    // Only the last batch of a key is not full.
    expect(batches.filter(({ length }) => length < 7).length).toBeLessThanOrEqual(5);

    expect(sorted((arrived.firsts as number[]).map((n) => n % 20))).toEqual(sorted(numbers(20)));
    expect(sorted(arrived.branches)).toEqual(
      sorted(all.flatMap((n) => (n % 2 === 0 ? [`even ${n}`] : n % 9 === 0 ? [`odd ${n}`, `nine ${n}`] : [`odd ${n}`]))),
    );
    const processed = arrived.processed as string[];
    expect(sorted(processed.filter((text) => !text.startsWith('finished')))).toEqual(sorted(all.map((n) => `${keyOf(n)} ${n}`)));
    const finished = processed.filter((text) => text.startsWith('finished')).map((text) => Number(text.slice(9)));
    expect([finished.length, finished.reduce((a, b) => a + b, 0)]).toEqual([parallelism, RECORDS]);
    expect(sorted(arrived.sides)).toEqual(sorted(all.filter((n) => n % 7 === 0)));

    const indexed = arrived.indexed as [number, number][];
    expect(sorted(indexed.map(([n]) => n))).toEqual(sorted(all));
    const perIndex = Map.groupBy(indexed, ([, index]) => index);
    expect([...perIndex.values()].every(({ length }) => length <= parallelism)).toBe(true);

    const perKey = Map.groupBy(arrived.limited as number[], keyOf);
    expect([...perKey.values()].map(({ length }) => length)).toEqual([4, 4, 4, 4, 4]);
    const good = (key: number): number[] => all.filter((n) => keyOf(n) === key && !isBad(n));
    const aggregates = (arrived.aggregates as { key: number; list: number[]; checked: number }[]).map(({ key, list, checked }) => ({ key, list: sorted(list), checked }));
    expect(sorted(aggregates)).toEqual(sorted(numbers(5).map((key) => ({ key, list: sorted(good(key)), checked: good(key).reduce((a, b) => a + b, 0) }))));

    const counts = new Map(result.operators.map((operator) => [operator.name, operator]));
    expect(counts.get('tolerant')).toMatchObject({ recordsIn: RECORDS, recordsOut: RECORDS - bad.length, deadLetters: bad.length });
    expect(counts.get('calls')).toMatchObject({ recordsIn: RECORDS, recordsOut: RECORDS, recordsSkipped: 0 });
    expect(counts.get('limited')).toMatchObject({ recordsIn: RECORDS, recordsOut: 20, recordsFiltered: RECORDS - 20 });
    expect(counts.get('aggregates')).toMatchObject({ recordsIn: RECORDS, recordsSkipped: bad.length });
  }, 60_000);

  it.each([['sources', limited], ['results of one record', limitedResults]] as const)('a limit ends endless %s in other threads', async (_, pipeline) => {
    const result = await pipeline.run({ records: 0, parallelism });
    expect(result.isolates).toBeGreaterThanOrEqual(2);
    expect(result.status).toBe('finished');
    expect(arrived.limited).toHaveLength(50);
  }, 60_000);

  it('a batch closes by time though nothing comes', async () => {
    const job = await quiet.submit({ records: 0, parallelism });
    await expect.poll(() => (arrived.quiet as number[][]).flat().toSorted(), { interval: 2, timeout: 20_000 }).toEqual(numbers(parallelism * 2).map((n) => Number(n >= parallelism)));
    expect(job.status).toBe('running');
    await job.stop();
  }, 60_000);
});
