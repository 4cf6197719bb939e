import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

import { type DataStream, FileSource, LocalEnvironment, MapFunction, ParquetSink, count, isSageError, tumbling } from '../../../ts/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'sage-source-timestamps-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const lines = (records: readonly unknown[]): string => records.map((record) => `${JSON.stringify(record)}\n`).join('');

class WithTime extends MapFunction<unknown, number | undefined> {
  execute(): number | undefined {
    return this.ctx.timestamp;
  }
}

async function timesOf(build: (env: LocalEnvironment) => DataStream<unknown>): Promise<(number | undefined)[]> {
  const env = new LocalEnvironment('times');
  const times: (number | undefined)[] = [];
  build(env).map(WithTime).sink(times);
  await env.submit({ autostop: true });
  return times;
}

const DAY = Date.UTC(2024, 0, 31);

describe('a source that knows where its records have their time', () => {
  it.each([
    ['milliseconds', undefined, DAY],
    ['seconds', 's', DAY / 1000],
    ['microseconds', 'us', DAY * 1000],
    ['nanoseconds', 'ns', DAY * 1_000_000],
    ['a text with an offset', 'iso', '2024-01-31T02:00:00.000+02:00'],
    ['a text of UTC', 'iso', '2024-01-31T00:00:00Z'],
    ['a text without an offset', 'iso', '2024-01-31 00:00'],
    ['a day', 'iso', '2024-01-31'],
    ['a short offset', 'iso', '2024-01-30T19-05'.replace('T19', 'T19:00')],
  ] as const)('takes %s', async (_, unit, at) => {
    const path = file('units.jsonl', lines([{ meta: { at } }]));
    const times = await timesOf((env) => env.fromSource(FileSource.jsonLines(path, { timestamps: { field: 'meta.at', outOfOrdernessMs: 0, ...(unit === undefined ? {} : { unit }) } })));
    expect(times[0]).toBeCloseTo(DAY, 0);
  });

  it('takes dates of CSV, and timestamps of Parquet', async () => {
    const csv = file('dates.csv', 'id,at\n1,2024-01-31\n2,2024-02-01T12:00:00Z\n');
    const expected = [DAY, Date.UTC(2024, 1, 1, 12)];
    const timestamps = { field: 'at', outOfOrdernessMs: 0 };
    expect(await timesOf((env) => env.fromSource(FileSource.csv(csv, { types: { at: 'date' } as never, timestamps })))).toEqual(expected);
    const parquet = join(folder, 'dates.parquet');
    const env = new LocalEnvironment('write');
    env.fromCollection(expected.map((at, id) => ({ id, at: new Date(at) }))).sink(new ParquetSink(parquet));
    await env.submit({ autostop: true });
    expect(await timesOf((reading) => reading.fromSource(FileSource.parquet(parquet, { columns: ['at'] as never, timestamps })))).toEqual(expected);
  });

  it.each([
    ['a number for a text', 'iso', 5],
    ['a text that is no date', 'iso', 'yesterday'],
    ['a day that there is not', 'iso', '2024-13-01'],
    ['a text for seconds', 's', '5'],
    ['a missing field', undefined, undefined],
    ['null', undefined, null],
  ] as const)('makes %s an error of its record', async (_, unit, at) => {
    const path = file('wrong.jsonl', lines([{ at: unit === 'iso' ? '2024-01-31' : 5 }, { at }]));
    const run = async (policy: 'fail' | 'skip'): Promise<unknown> => {
      const env = new LocalEnvironment('wrong');
      const source = FileSource.jsonLines(path, { timestamps: { field: 'at', outOfOrdernessMs: 0, ...(unit === undefined ? {} : { unit }) } });
      env.fromSource(source).onError(policy).sink([]);
      return env.submit({ autostop: true }).catch((error: unknown) => error);
    };
    expect(await run('skip')).toMatchObject({ recordsSkipped: 1, recordsOut: 1 });
    const error = await run('fail');
    expect(isSageError(error)).toBe(true);
    expect(error).toMatchObject({ code: 'SAGE_TIME_INVALID', declaredAt: { file: expect.stringMatching(/source-timestamps\.test\.ts$/) as string } });
  });

  it('keeps one that is far ahead from making all others late', async () => {
    const path = file('ahead.jsonl', lines([{ at: 1000 }, { at: 9e15 / 2 }, { at: 1500 }]));
    const env = new LocalEnvironment('ahead');
    const results: number[] = [];
    env
      .fromSource(FileSource.jsonLines(path, { timestamps: { field: 'at', outOfOrdernessMs: 1000 } }))
      .onError('skip')
      .window(tumbling('10s'))
      .aggregate({ n: count() })
      .map(({ n }) => n)
      .sink(results);
    const { recordsSkipped } = await env.submit({ autostop: true });
    expect([results, recordsSkipped]).toEqual([[2], 1]);
  });

  it('has a watermark for each reader: files of different times that are read at once lose nothing', async () => {
    const each = 20_000;
    const part = (start: number): string => lines(Array.from({ length: each }, (_, n) => ({ at: start + n, text: 'x'.repeat(20) })));
    // Equal lengths, so that each of two instances has one of them; the first is the later one.
    const paths = [file('a.jsonl', part(2_000_000)), file('b.jsonl', part(1_000_000))];
    const env = new LocalEnvironment('readers');
    const results: number[] = [];
    const source = env.fromSource(FileSource.jsonLines<{ at: number }>(paths, { timestamps: { field: 'at', outOfOrdernessMs: 0 } })).parallelism(2);
    source
      .keyBy(({ at }) => at % 7)
      .window(tumbling('1s'))
      .aggregate({ n: count() })
      .map(({ n }) => n)
      .sink(results);
    const { stages } = env.explain({ format: 'json' });
    expect(stages.slice(0, 2).map(({ parallelism }) => parallelism)).toEqual([2, 2]);
    const { operators } = await env.submit({ autostop: true });
    expect(operators.find(({ name }) => name === 'window')!.recordsLate).toBe(0);
    expect(results.reduce((a, b) => a + b, 0)).toBe(2 * each);
  });

  it.each([
    ['a field that is not read', () => FileSource.jsonLines<{ a: number; at: number }>('x', { columns: ['a'], timestamps: { field: 'at', outOfOrdernessMs: 0 } }), /column 'at', which is not read/],
    ['no field', () => FileSource.csv('x', { timestamps: { outOfOrdernessMs: 0 } as never }), /timestamps/],
    ['no outOfOrdernessMs', () => FileSource.json('x', { timestamps: { field: 'at' } as never }), /outOfOrdernessMs/],
    ['a unit that there is not', () => FileSource.json('x', { timestamps: { field: 'at', outOfOrdernessMs: 0, unit: 'min' as never } }), /unit of assignTimestamps/],
    ['a schema beside', () => FileSource.json('x', { schema: { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } }, timestamps: { field: 'at', outOfOrdernessMs: 0 } } as never), /a schema and timestamps/],
  ])('is refused with %s', (_, make, message) => {
    expect(make).toThrow(message);
  });
});
