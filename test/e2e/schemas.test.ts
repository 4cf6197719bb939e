import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type } from 'arktype';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';

import { FileSource, JsonLinesSink, LocalEnvironment, ParquetSink, type SageError, type SchemaIssue, type StandardSchema, StreamSource } from '../../ts/index.ts';
import { failureOf } from './support/failure-of.ts';
import { numbers, recordsOf, runToArray } from './support/run-to-array.ts';

const ORDERS = [
  { id: 1, price: '9.50', at: '2024-03-01T00:00:00.000Z', extra: 'x' },
  { id: 2, price: '3', at: '2024-03-02T00:00:00.000Z', note: null },
];
/** What any of the schemas below makes of them. */
const EXPECTED = [
  { id: 1, price: 9.5, at: new Date('2024-03-01T00:00:00.000Z') },
  { id: 2, price: 3, at: new Date('2024-03-02T00:00:00.000Z'), note: null },
];

const ofZod = z.object({ id: z.number(), price: z.coerce.number(), at: z.coerce.date(), note: z.string().nullish() });
const ofValibot = v.object({
  id: v.number(),
  price: v.pipe(v.string(), v.transform(Number)),
  at: v.pipe(v.string(), v.transform((text) => new Date(text))),
  note: v.nullish(v.string()),
});
const ofArktype = type({ '+': 'delete', id: 'number', price: 'string.numeric.parse', at: 'string.date.iso.parse', 'note?': 'string | null' });

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-schemas-'));
  writeFileSync(join(folder, 'orders.jsonl'), ORDERS.map((order) => `${JSON.stringify(order)}\n`).join(''));
});
afterAll(() => rmSync(folder, { recursive: true }));

function failureOfPipeline(build: (env: LocalEnvironment) => unknown): Promise<SageError> {
  const env = new LocalEnvironment('schemas');
  build(env);
  return failureOf(env.submit({ autostop: true }));
}

describe.each<[string, StandardSchema]>([
  ['zod', ofZod],
  ['valibot', ofValibot],
  ['arktype', ofArktype],
])('a schema of %s', (vendor, schema) => {
  it('given as an operator, then its output is the record', async () => {
    expect(await recordsOf((env) => env.fromCollection<unknown>(ORDERS).validate(schema))).toEqual(EXPECTED);
  });

  it.each<[string, (env: LocalEnvironment) => ReturnType<LocalEnvironment['fromSource']>]>([
    ['fromSource of an iterable', (env) => env.fromSource(new Set(ORDERS), { schema })],
    ['fromSource of a generator function', (env) => env.fromSource(function* () { yield* ORDERS; }, { schema })],
    ['fromStream of a Readable', (env) => env.fromStream(Readable.from(ORDERS), { schema, unbounded: false })],
    ['fromBatch of an array', (env) => env.fromBatch(ORDERS, { schema })],
    ['fromCollection', (env) => env.fromCollection(ORDERS, { schema })],
    ['FileSource.jsonLines', (env) => env.fromSource(FileSource.jsonLines(join(folder, 'orders.jsonl'), { schema }))],
    ['StreamSource.jsonLines', (env) => env.fromSource(StreamSource.jsonLines(Readable.from(ORDERS.map((order) => `${JSON.stringify(order)}\n`)), { schema }))],
  ])('given to %s, then its output is the record', async (_, build) => {
    expect(await recordsOf(build)).toEqual(EXPECTED);
  });

  it('given a record that does not match, then the error has the record, the operator and what is wrong where', async () => {
    const record = { id: 'one', price: '1', at: '2024-03-01T00:00:00.000Z' };
    const error = await failureOfPipeline((env) => env.fromCollection<unknown>([ORDERS[0], record]).validate(schema).named('check').sink([]));
    expect(error).toMatchObject({ code: 'SAGE_SCHEMA_INVALID', domain: 'external', operator: 'check', record, context: { issues: 1 } });
    expect(error.message).toMatch(`a record does not match its ${vendor} schema: id: `);
    expect(error.cause).toEqual([{ path: ['id'], message: expect.any(String) as string }]);
    expect(error.declaredAt?.file).toBe(import.meta.filename);
  });
});

describe('schemas', () => {
  it('given an asynchronous one, then records are awaited one after the other, and errors are the same', async () => {
    const schema = z.object({ id: z.number().refine(async (id) => (await Promise.resolve(id)) !== 7, 'seven is taken') });
    expect(await recordsOf((env) => env.fromCollection(numbers(5).map((id) => ({ id }))).validate(schema))).toEqual(numbers(5).map((id) => ({ id })));
    const error = await failureOfPipeline((env) => env.fromCollection(numbers(9).map((id) => ({ id }))).validate(schema).sink([]));
    expect(error).toMatchObject({ code: 'SAGE_SCHEMA_INVALID', record: { id: 7 }, cause: [{ path: ['id'], message: 'seven is taken' }] });
  });

  it('given many issues, then the message has the first three and their number, the cause all of them', async () => {
    const schema = z.object({ a: z.number(), list: z.array(z.object({ b: z.number() })) });
    const error = await failureOfPipeline((env) => env.fromCollection<unknown>([{ list: numbers(4).map(() => ({ b: 'x' })) }]).validate(schema).sink([]));
    expect(error.message).toMatch(/: a: .*; list\.0\.b: .*; list\.1\.b: .*; and 2 more/);
    expect((error.cause as SchemaIssue[]).map(({ path }) => path.join('/'))).toEqual(['a', 'list/0/b', 'list/1/b', 'list/2/b', 'list/3/b']);
  });

  it('given one that throws, then that is an error of the record like any other', async () => {
    const schema: StandardSchema<number> = { '~standard': { version: 1, vendor: 'broken', validate: () => { throw new RangeError('broken schema'); } } };
    expect(await failureOfPipeline((env) => env.fromCollection([1]).validate(schema).sink([]))).toMatchObject({ code: 'SAGE_USER_THREW', record: 1, cause: expect.any(RangeError) as RangeError });
  });

  it('given undefined as its output, then the record is dropped as by a map, and counted', async () => {
    const { records, result } = await runToArray((env) => env.fromCollection([1, -1, 2]).validate(z.number().transform((n) => (n < 0 ? undefined : n))));
    expect([records, result.recordsDropped]).toEqual([[1, 2], 1]);
  });

  it('given lines in a stream, then an invalid one is named by its number, also behind blank lines and in the async case', async () => {
    const lines = ['{"id":1}\n\n{"id":', '2}\n{"id":"three"}\n{"id":4}\n'];
    for (const schema of [z.object({ id: z.number() }), z.object({ id: z.number() }).refine(async () => true)]) {
      const error = await failureOfPipeline((env) => env.fromSource(StreamSource.jsonLines(lines, { schema })).sink([]));
      expect(error).toMatchObject({ code: 'SAGE_SCHEMA_INVALID', context: { line: 4 }, record: { id: 'three' } });
      expect(error.message).toMatch('the record in line 4 does not match');
    }
  });

  it('given parallel instances behind a stream, then no wrong line is named: records are copies there', async () => {
    const schema = z.object({ id: z.number() });
    const lines = numbers(500).map((id) => `{"id":${id === 400 ? '"x"' : id}}\n`);
    const error = await failureOfPipeline((env) => env.fromSource(StreamSource.jsonLines(lines, { schema })).parallelism(2).sink([]));
    expect(error).toMatchObject({ code: 'SAGE_SCHEMA_INVALID', record: { id: 'x' } });
    expect(error.context['line']).toBeUndefined();
  });

  it('given something else than a schema, then that is a plan error with the call', () => {
    const env = new LocalEnvironment();
    const stream = env.fromCollection([1]);
    const wrong = expect.objectContaining({ code: 'SAGE_PLAN_ARGUMENT', message: expect.stringContaining('schema') as string });
    expect(() => stream.validate({ parse: () => 1 } as never)).toThrow(wrong);
    expect(() => env.fromSource([1], { schema: 'number' } as never)).toThrow(wrong);
    expect(() => FileSource.jsonLines('x', { schema: {} } as never)).toThrow(wrong);
    expect(() => StreamSource.jsonLines([], { schema: null } as never)).toThrow(wrong);
  });

  it('given a generator function whose own argument has a field of that name, then it stays an argument', async () => {
    function* named({ schema }: { readonly schema: string }): Generator<string> { yield schema; }
    expect(await recordsOf((env) => env.fromSource(named, { schema: 'public' }))).toEqual(['public']);
  });
});

describe('what a schema decides', () => {
  const wide = z.object({ id: z.number(), note: z.string().optional() });

  it('a reader of JSON lines reads only its fields, and an optional one may be missing', async () => {
    const path = join(folder, 'wide.jsonl');
    // The fields that nobody wants are no JSON that could be read: a number that is too long for one.
    writeFileSync(path, '{"id":1,"other":[1,2,3],"note":"n"}\n{"other":{"deep":true},"id":2}\n');
    const env = new LocalEnvironment();
    const records: unknown[] = [];
    env.fromSource(FileSource.jsonLines(path, { schema: wide })).sink(records);
    expect(env.explain('optimised')).toMatch("'source' reads only id, note");
    await env.submit({ autostop: true });
    expect(records).toEqual([{ id: 1, note: 'n' }, { id: 2 }]);
  });

  it('a schema that refuses unknown fields still sees them', async () => {
    const path = join(folder, 'orders.jsonl');
    const error = await failureOfPipeline((env) => env.fromSource(FileSource.jsonLines(path, { schema: z.strictObject({ id: z.number(), price: z.string(), at: z.string() }) })).sink([]));
    expect(error).toMatchObject({ code: 'SAGE_SCHEMA_INVALID', cause: [{ path: [], message: expect.stringContaining('extra') as string }] });
  });

  it('columns of the user go before those of the schema', () => {
    const env = new LocalEnvironment();
    env.fromSource(FileSource.jsonLines(join(folder, 'orders.jsonl'), { schema: wide, columns: ['id'] })).sink([]);
    expect(env.explain('logical')).toMatch('columns id');
    expect(env.explain('optimised')).not.toMatch('reads only');
  });

  it('a Parquet file is read by columns where all of them must be there, and as a whole where one may be missing', async () => {
    const path = join(folder, 'rows.parquet');
    const writing = new LocalEnvironment();
    writing.fromCollection([{ id: 1, name: 'a', big: 'x' }, { id: 2, name: null, big: 'y' }]).sink(new ParquetSink(path));
    await writing.submit({ autostop: true });
    const required = z.object({ id: z.number(), name: z.string().nullable() });
    const read = async (schema: StandardSchema): Promise<[string, unknown[]]> => {
      const env = new LocalEnvironment();
      const records: unknown[] = [];
      env.fromSource(FileSource.parquet(path, { schema })).sink(records);
      const plan = env.explain('optimised');
      await env.submit({ autostop: true });
      return [plan, records];
    };
    const [plan, records] = await read(required);
    expect(plan).toMatch("'source' reads only id, name");
    expect(records).toEqual([{ id: 1, name: 'a' }, { id: 2, name: null }]);
    const [other, others] = await read(required.extend({ absent: z.string().optional() }));
    expect(other).not.toMatch('reads only');
    expect(others).toEqual(records);
  });

  it('records keep the order of their own fields through an exchange, and what the schema left open', async () => {
    const schema = z.object({ a: z.number(), b: z.string().optional(), c: z.any(), d: z.date().nullable() }).loose();
    const at = new Date(5);
    const rows = [
      { d: at, a: 1, c: [1], z: 1 },
      { a: 2, b: 'x', c: 'text', d: null },
      { a: 3, c: { deep: { er: new Map([[1, 2]]) } }, d: at, b: 'y' },
    ];
    const behind = async (parallelism: number): Promise<unknown[]> => {
      const records = await recordsOf((env) => env.fromCollection<unknown>(rows).validate(schema).keyBy((row) => row.a).parallelism(parallelism).map((row) => row));
      return records.toSorted((x, y) => (x as { a: number }).a - (y as { a: number }).a);
    };
    const alone = await behind(1);
    const copied = await behind(3);
    expect(copied).toEqual(alone);
    // Of all records when no schema is there: the first one's fields, and behind them those that came later.
    expect(Object.keys(copied[0] as object)).toEqual(Object.keys(alone[0] as object));
  });

  it('files behind a schema hold what JSON.stringify makes of the records', async () => {
    const path = join(folder, 'out.jsonl');
    const env = new LocalEnvironment();
    env.fromCollection<unknown>(ORDERS).validate(ofZod).sink(new JsonLinesSink(path));
    await env.submit({ autostop: true });
    expect(readFileSync(path, 'utf8')).toBe(EXPECTED.map((order) => `${JSON.stringify(order)}\n`).join(''));
  });

  it('parallelism behind a source with a schema is that of both, where the source can be split', () => {
    const env = new LocalEnvironment();
    env.fromSource(FileSource.jsonLines(join(folder, 'orders.jsonl'), { schema: wide })).parallelism(2).sink([]);
    env.fromSource(function* () { yield { id: 1 }; }, { schema: wide }).parallelism(2).sink([]);
    expect(env.pipeline.map(({ name, parallelism }) => [name, parallelism])).toEqual([
      ['source', 2], ['validate', 2], ['sink', undefined], ['source-2', undefined], ['validate-2', 2], ['sink-2', undefined],
    ]);
  });
});
