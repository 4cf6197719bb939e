import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { CsvSink, type CsvOptions, FileSource, LocalEnvironment, sum } from '../../ts/index.ts';
import { shareOfRuns } from '../property-runs.ts';
import { numbers, recordsOf, runToArray } from './support/run-to-array.ts';

const DATA = join(import.meta.dirname, '../../node_modules/vega-datasets/data');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-csv-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

type Row = Record<string, unknown>;
/** A total order of records. Not of their JSON, where null, NaN and the infinities are one text: two that differ in that alone would stay in the order of their arrival. */
const byText = (a: unknown, b: unknown): number => {
  const [left, right] = [a, b].map((value) => inspect(value, { depth: Infinity, maxArrayLength: Infinity, maxStringLength: Infinity })) as [string, string];
  return left < right ? -1 : left > right ? 1 : 0;
};

/** Our rules of inference, on the strings that csv-parse gives: a second opinion on both parsing and types. */
function typed(rows: readonly Readonly<Record<string, string>>[]): Row[] {
  const isNumber = (text: string): boolean => /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text) && (Math.abs(Number(text)) <= Number.MAX_SAFE_INTEGER || /[.eE]/.test(text));
  const isBoolean = (text: string): boolean => /^(true|false)$/i.test(text);
  const typeOf = (name: string): string => {
    const cells = rows.slice(0, 1000).map((row) => row[name]!).filter((text) => text !== '');
    if (cells.length === 0) return 'string';
    if (cells.every(isNumber)) return 'number';
    return cells.every(isBoolean) ? 'boolean' : 'string';
  };
  const types = Object.fromEntries(Object.keys(rows[0] ?? {}).map((name) => [name, typeOf(name)]));
  const valueOf = (name: string, text: string): unknown => {
    if (types[name] === 'string') return text;
    if (text === '') return null;
    if (types[name] === 'number') return isNumber(text) ? Number(text) : text;
    return isBoolean(text) ? text.toLowerCase() === 'true' : text;
  };
  return rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, text]) => [name, valueOf(name, text)])));
}

const REAL = readdirSync(DATA).filter((name) => /\.[ct]sv$/.test(name));

describe('real files', () => {
  test.each(REAL)('%s is read as csv-parse reads it', async (name) => {
    // Given a file of other people, and what another parser makes of it.
    const path = join(DATA, name);
    const delimiter = name.endsWith('.tsv') ? '\t' : ',';
    const strings: Record<string, string>[] = parse(readFileSync(path), { columns: true, bom: true, delimiter, skip_empty_lines: true });
    // When it is read with types and without them.
    const texts = await recordsOf((env) => env.fromSource(FileSource.csv<Row>(path, { delimiter, types: 'string' })));
    const values = await recordsOf((env) => env.fromSource(FileSource.csv<Row>(path, { delimiter })));
    // Then both agree with it.
    expect(texts).toEqual(strings);
    expect(values).toEqual(typed(strings));
  });

  test.each(['birdstrikes.csv', 'us-employment.csv', 'la-riots.csv'])('%s is the same when several instances read it', async (name) => {
    const source = (): FileSource<Row> => FileSource.csv<Row>(join(DATA, name));
    const whole = await recordsOf((env) => env.fromSource(source()));
    const split = await recordsOf((env) => env.fromSource(source()), { parallelism: 3 });
    expect(split.toSorted(byText)).toEqual(whole.toSorted(byText));
  });
});

describe('reading', () => {
  test('the guide to types: what is inferred, what is given, what is null', async () => {
    const path = write('types.csv', 'id,zip,price,sold,tags,note\n1,01234,2.50,2024-02-29,"[1,""a""]",\n2,99999,,2024-03-01T12:00:00+01:00,null,x\n');
    expect(await recordsOf((env) => env.fromSource(FileSource.csv(path)))).toEqual([
      { id: 1, zip: '01234', price: 2.5, sold: '2024-02-29', tags: '[1,"a"]', note: '' },
      { id: 2, zip: '99999', price: null, sold: '2024-03-01T12:00:00+01:00', tags: 'null', note: 'x' },
    ]);
    const types = { sold: 'date', tags: 'json' } as const;
    expect(await recordsOf((env) => env.fromSource(FileSource.csv(path, { types, columns: ['sold', 'tags'] })))).toEqual([
      { sold: new Date('2024-02-29T00:00:00Z'), tags: [1, 'a'] },
      { sold: new Date('2024-03-01T11:00:00Z'), tags: null },
    ]);
  });

  test('records that cannot be read are left out and counted, and the counts add up', async () => {
    const path = write('broken.csv', 'n\n1\nx\n2,3\n4\n');
    const options: CsvOptions<{ n: number }> = { types: { n: 'number' }, onError: 'skip' };
    const { records, result } = await runToArray((env) => env.fromSource(FileSource.csv<{ n: number }>(path, options)).map(({ n }) => n));
    expect(records).toEqual([1, 4]);
    expect(result).toMatchObject({ recordsIn: 2, recordsSkipped: 2, recordsOut: 2 });
    expect(result.operators[0]).toMatchObject({ recordsIn: 4, recordsSkipped: 2, recordsOut: 2 });
  });

  test('a record that cannot be read is an error with file, line, column, what was found and what was expected', async () => {
    const path = write('unfit.csv', 'id,n\n1,1\n2,"two\nlines"\n');
    const job = recordsOf((env) => env.fromSource(FileSource.csv<{ n: number }>(path, { types: { n: 'number' } })));
    await expect(job).rejects.toMatchObject({ code: 'SAGE_FORMAT_CSV', message: expect.stringMatching(/unfit\.csv, line 3: column n: expected a number such as 12\.5, found two.lines/su) });
  });

  test('only the columns that a pipeline uses are read, and one that is not there is named', async () => {
    const path = write('wide.csv', 'k,a,b\nx,1,2\ny,3,4\nx,5,6\n');
    const totals = await recordsOf((env) =>
      env.fromSource(FileSource.csv<{ k: string; a: number; b: number }>(path)).keyBy('k').aggregate({ a: sum('a') }),
    );
    expect(totals.toSorted(byText)).toEqual([{ key: 'x', a: 6 }, { key: 'y', a: 3 }]);
    const absent = recordsOf((env) => env.fromSource(FileSource.csv<{ k: string; c: number }>(path)).keyBy('k').aggregate({ c: sum('c') }));
    await expect(absent).rejects.toMatchObject({ code: 'SAGE_FORMAT_COLUMN_MISSING', message: expect.stringContaining('the file has k, a, b') });
  });
});

async function written(records: readonly object[], options: ConstructorParameters<typeof CsvSink>[1] = {}): Promise<string> {
  const path = join(folder, 'written.csv');
  const env = new LocalEnvironment('write');
  env.fromCollection(records).sink(new CsvSink(path, options));
  await env.submit({ autostop: true });
  return readFileSync(path, 'utf8');
}

describe('writing', () => {
  test('cells are written as RFC 4180 has it', async () => {
    const when = new Date('2024-02-29T12:00:00Z');
    expect(await written([{ n: 1.5, s: 'a,b', q: 'say "hi"', d: when, x: { y: [1] }, b: true, none: null, gone: undefined, empty: '' }])).toBe(
      'n,s,q,d,x,b,none,gone,empty\n1.5,"a,b","say ""hi""",2024-02-29T12:00:00.000Z,"{""y"":[1]}",true,,,""\n',
    );
    expect(await written([{ a: 1, b: null, c: 'x' }], { quote: 'always', eol: '\r\n', delimiter: ';', bom: true })).toBe('\ufeff"a";"b";"c"\r\n"1";;"x"\r\n');
    expect(await written([{ a: 'NA' }, { a: null }], { nullText: 'NA', header: false })).toBe('"NA"\nNA\n');
    expect(await written([{ a: null }, { a: '' }])).toBe('a\n""\n""\n');
    expect(await written([], { columns: ['a', 'b'] })).toBe('a,b\n');
    expect(await written([])).toBe('');
  });

  test('a field that the first record did not have is an error of its record, unless columns were named', async () => {
    await expect(written([{ a: 1 }, { a: 2, b: 3 }])).rejects.toMatchObject({
      code: 'SAGE_FORMAT_RECORD',
      message: expect.stringMatching(/record 2 has the field b, for which there is no column.*option columns/u),
    });
    expect(await written([{ a: 1 }, { a: 2, b: 3 }, { b: 4 }], { columns: ['b', 'a'] })).toBe('b,a\n,1\n3,2\n4,\n');
    expect(await written([{ a: 1, b: 2 }, { b: 3 }])).toBe('a,b\n1,2\n,3\n');
    await expect(written(['text' as never])).rejects.toMatchObject({ code: 'SAGE_FORMAT_RECORD', message: expect.stringContaining('record 1 is not an object') });
  });

  test('records of any shape come out as the named columns', async () => {
    // Each has a field of its own: too many shapes for columns.
    const records = numbers(300).map((n) => ({ id: n, [`own${n}`]: n, list: [n], text: n % 2 === 0 ? `"${n}` : n }));
    const text = await written(records, { columns: ['id', 'list', 'text'] });
    expect(parse(text, { columns: true })).toEqual(records.map(({ id, list, text }) => ({ id: `${id}`, list: JSON.stringify(list), text: `${text}` })));
  });
});

const cell = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', ' ', ';', 'é') }));
const when = fc.date({ noInvalidDate: true });
const record = fc.record({
  text: fc.oneof(cell, fc.constant(null)),
  number: fc.oneof(fc.double(), fc.integer(), fc.constant(null)),
  flag: fc.oneof(fc.boolean(), fc.constant(null)),
  when: fc.oneof(when, fc.constant(null)),
  nested: fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constant(null)).filter((value) => typeof value !== 'string'),
});

test('what a sink writes a source reads, whatever the dialect', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(record, { minLength: 1, maxLength: 30 }),
      fc.constantFrom(',', ';', '\t', '|'),
      fc.constantFrom('needed', 'always'),
      fc.constantFrom('\n', '\r\n'),
      fc.boolean(),
      fc.integer({ min: 1, max: 3 }),
      async (records, delimiter, quote, eol, bom, parallelism) => {
        // Given records in a file.
        await written(records, { delimiter, quote, eol, bom });
        // When they are read with the types that they had.
        const types = { text: 'string', number: 'number', flag: 'boolean', when: 'date', nested: 'json' } as const;
        const found = await recordsOf((env) => env.fromSource(FileSource.csv<Row>(join(folder, 'written.csv'), { delimiter, types, nulls: [''] })), { parallelism });
        // Then they are the same; -0 is written as 0, in numbers and in JSON.
        const positive = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
        const expected = records.map((one) => ({ ...one, number: one.number === null ? null : one.number + 0, nested: positive(one.nested) }));
        const order = (rows: readonly object[]): object[] => (parallelism === 1 ? [...rows] : rows.toSorted(byText));
        expect(order(found)).toEqual(order(expected));
      },
    ),
    { numRuns: shareOfRuns(0.4) },
  );
});
