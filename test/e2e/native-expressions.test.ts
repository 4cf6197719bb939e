import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { avg, col, columns, count, type DataStream, FileSource, isSageError, JsonLinesSink, LocalEnvironment, max, ParquetSink, type Source, sum } from '../../ts/index.ts';
import { linkExpression } from '../../ts/functions/expressions/evaluate-expression.ts';
import { Expression } from '../../ts/functions/expressions/expression.ts';
import type { ExpressionNode } from '../../ts/functions/expressions/expression-node.ts';
import { expressionText } from '../../ts/functions/expressions/expression-text.ts';
import { predicateNode } from '../../ts/functions/expressions/predicate-node.ts';
import { shareOfRuns } from '../property-runs.ts';
import { expression, recordOf } from '../unit/functions/expressions/random-expressions.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-expressions-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
const fileName = (ending: string): string => join(folder, `${++files}.${ending}`);

function jsonLines(records: readonly unknown[]): string {
  const path = fileName('jsonl');
  writeFileSync(path, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  return path;
}

const of = (node: ExpressionNode): Expression<never, unknown, string> => new Expression(node);

/** What the core gives for a column of an expression: the values, or the words of the error. */
async function inCore(source: Source<unknown>, node: ExpressionNode): Promise<unknown> {
  const env = new LocalEnvironment('expressions');
  const values: unknown[] = [];
  env.fromSource(source).select({ value: of(node) }).sink((record: { value: unknown }) => void values.push(record.value));
  expect(env.explain({ level: 'physical' })).toMatch(/source 'source' .* -> select 'select' -> exchange 0/);
  try {
    await env.submit({ autostop: true });
    return { values };
  } catch (error) {
    if (!isSageError(error, 'SAGE_EXPRESSION_VALUE')) throw error;
    return { error: error.message.replace(/ \(operator 'select'\)$/, '') };
  }
}

/** The same by the linked form. */
function inJavaScript(records: readonly unknown[], node: ExpressionNode): unknown {
  try {
    return { values: records.map(linkExpression(node)) };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

describe('the core', () => {
  it('gives for JSON lines what JavaScript gives, or fails in the same words at the same record', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(expression, { minLength: 4, maxLength: 4 }), fc.array(fc.oneof({ arbitrary: recordOf({ ofJavaScript: false }), weight: 30 }, { arbitrary: fc.constantFrom<unknown>(null, 5, 'text', [1], { '__proto__x': 1 }), weight: 1 }), { minLength: 1, maxLength: 30 }), async (nodes, drawn) => {
        const path = jsonLines(drawn);
        const records = drawn.map((record) => JSON.parse(JSON.stringify(record)) as unknown);
        for (const node of nodes) expect(await inCore(FileSource.jsonLines(path), node), expressionText(node)).toStrictEqual(inJavaScript(records, node));
      }),
      { numRuns: shareOfRuns(0.4) },
    );
  });

  it('gives for Parquet what JavaScript gives, also for NaN, -0 and dates', { timeout: 120_000 }, async () => {
    const typed = fc.record({
      n: fc.option(fc.oneof(fc.double(), fc.constantFrom(NaN, -0, Infinity, 2.5, -2.5))),
      m: fc.oneof(fc.double(), fc.integer()),
      s: fc.option(fc.oneof(fc.string({ unit: 'grapheme', maxLength: 8 }), fc.constantFrom('web', ' ΑΣ ', '12', 'true', '2024-02-29'))),
      t: fc.string({ maxLength: 4 }),
      b: fc.option(fc.boolean()),
      d: fc.option(fc.date({ noInvalidDate: true, min: new Date('1900-01-01'), max: new Date('2100-01-01') })),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(expression, { minLength: 4, maxLength: 4 }), fc.array(typed, { minLength: 1, maxLength: 40 }), async (nodes, records) => {
        const path = fileName('parquet');
        const env = new LocalEnvironment('write');
        env.fromCollection(records).sink(new ParquetSink(path, { schema: { n: 'f64?', m: 'f64', s: 'str?', t: 'str', b: 'bool?', d: 'date?' } }));
        await env.submit({ autostop: true });
        const read: unknown[] = [];
        const reading = new LocalEnvironment('read');
        reading.fromSource(FileSource.parquet<unknown>(path)).sink(read);
        await reading.submit({ autostop: true });
        const present = new Set(['n', 'm', 's', 't', 'b', 'd']);
        // A column that no file has is an error of the reader, before any record.
        const fields = (node: ExpressionNode): string[] => (node.kind === 'column' ? [node.path.segments[0]] : node.kind === 'call' ? node.operands.flatMap(fields) : []);
        for (const node of nodes.filter((one) => fields(one).every((field) => present.has(field)))) {
          expect(await inCore(FileSource.parquet<unknown>(path), node), expressionText(node)).toStrictEqual(inJavaScript(read, node));
        }
      }),
      { numRuns: shareOfRuns(0.4) },
    );
  });

  it('lets the same records pass, and says how many did not', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(expression, fc.array(recordOf({ ofJavaScript: false }), { minLength: 1, maxLength: 30 }), async (node, drawn) => {
        const records = drawn.map((record) => JSON.parse(JSON.stringify(record)) as object);
        const passes = inJavaScript(records, predicateNode(of(node))) as { values?: unknown[] };
        fc.pre(passes.values !== undefined);
        const env = new LocalEnvironment('filters');
        const passed: unknown[] = [];
        env.fromSource(FileSource.jsonLines<unknown>(jsonLines(records))).filter(of(node) as Expression<never, boolean, string>).sink(passed);
        const { operators } = await env.submit({ autostop: true });
        const expected = records.filter((_, n) => passes.values![n] === true);
        expect(passed, expressionText(node)).toStrictEqual(expected);
        expect(operators.map(({ recordsIn, recordsOut, recordsFiltered }) => [recordsIn, recordsOut, recordsFiltered])).toStrictEqual([
          [records.length, records.length, 0],
          [records.length, expected.length, records.length - expected.length],
          [expected.length, 0, 0],
        ]);
      }),
      { numRuns: shareOfRuns(0.4) },
    );
  });
});

interface Bid {
  readonly auction: number | string | null;
  readonly price: number | null;
  readonly channel: string;
}

const bids: readonly Bid[] = Array.from({ length: 5000 }, (_, n) => ({
  auction: n % 97 === 0 ? null : n % 89 === 0 ? `a${n % 3}` : (n * 7919) % 101,
  price: n % 13 === 0 ? null : (n * 31) % 1000,
  channel: ['web', 'app', 'shop'][n % 3]!,
}));

/** The same by a Map. */
function totals(records: readonly Bid[]): Map<string, { key: unknown; bids: number; total: number; mean: number | null; top: number | null }> {
  const groups = Map.groupBy(
    records.filter(({ price, channel }) => price !== null && price > 100 && channel !== 'shop'),
    ({ auction }) => auction,
  );
  return new Map(
    [...groups].map(([key, own]) => {
      const prices = own.map(({ price }) => price! * 2);
      const total = prices.reduce((sum, price) => sum + price, 0);
      return [JSON.stringify(key), { key, bids: own.length, total, mean: total / own.length, top: Math.max(...prices) }];
    }),
  );
}

function query(stream: DataStream<Bid>): DataStream<{ key: unknown; bids: number; total: number; mean: number | null; top: number | null }> {
  const bid = columns<Bid>();
  const price = bid('price').mul(2);
  return stream
    .filter(bid('price').gt(100).and(bid('channel').in(['web', 'app'])))
    .keyBy(bid('auction'))
    .aggregate({ bids: count(), total: sum(price), mean: avg(price), top: max(price) });
}

describe.each([1, 2, 3])('a chain from reader to writer, with %i instances', (parallelism) => {
  it('runs without JavaScript, and its counts add up', async () => {
    const path = fileName('jsonl');
    const env = new LocalEnvironment('native', { parallelism });
    query(env.fromSource(FileSource.jsonLines<Bid>(jsonLines(bids)))).filter(col('bids').gt(1)).withColumn('half', col('total').div(2)).sink(new JsonLinesSink(path));

    const result = await env.submit({ autostop: true });

    const records = readFileSync(path, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as { key: unknown; total: number });
    const expected = [...totals(bids).values()].filter(({ bids }) => bids > 1).map((one) => ({ ...one, half: one.total / 2 }));
    const byKey = (one: { key: unknown }, other: { key: unknown }): number => (JSON.stringify(one.key) < JSON.stringify(other.key) ? -1 : 1);
    expect(records.toSorted(byKey)).toStrictEqual(expected.toSorted(byKey));
    expect(result.isolates).toBe(0);
    for (const { sent, received } of result.edges) expect(sent).toBe(received);
    const [source, filter, keyBy, aggregate, behind, half, sink] = result.operators;
    const passed = bids.filter(({ price, channel }) => price !== null && price > 100 && channel !== 'shop').length;
    expect(source).toMatchObject({ recordsIn: bids.length, recordsOut: bids.length });
    expect(filter).toMatchObject({ recordsIn: bids.length, recordsOut: passed, recordsFiltered: bids.length - passed });
    expect(keyBy).toMatchObject({ recordsIn: passed, recordsOut: passed });
    expect(aggregate).toMatchObject({ recordsIn: passed, recordsOut: totals(bids).size });
    expect(behind!.recordsIn - behind!.recordsFiltered).toBe(behind!.recordsOut);
    expect([half!.recordsIn, half!.recordsOut, sink!.recordsIn]).toStrictEqual([expected.length, expected.length, expected.length]);
    expect([result.recordsIn, result.recordsOut]).toStrictEqual([bids.length, expected.length]);
  });

  it('gives JavaScript behind it the same results', async () => {
    const env = new LocalEnvironment('mixed', { parallelism });
    const results: { key: unknown }[] = [];
    query(env.fromSource(FileSource.jsonLines<Bid>(jsonLines(bids)))).map((one) => one).parallelism(1).sink(results);

    await env.submit({ autostop: true });

    expect(new Map(results.map((one) => [JSON.stringify(one.key), one]))).toStrictEqual(totals(bids));
  });

  it('aggregates over all records, also over none', async () => {
    const env = new LocalEnvironment('unkeyed', { parallelism });
    const all: unknown[] = [];
    const none: unknown[] = [];
    const source = FileSource.jsonLines<Bid>(jsonLines(bids));
    env.fromSource(source).aggregate({ n: count(), total: sum('price'), top: max(col('price')) }).sink(all);
    env.fromSource(source).filter(col('price').lt(0)).aggregate({ n: count(), total: sum('price'), top: max('price') }).sink(none);

    await env.submit({ autostop: true });

    const prices = bids.flatMap(({ price }) => price ?? []);
    expect(all).toStrictEqual([{ n: bids.length, total: prices.reduce((sum, price) => sum + price, 0), top: Math.max(...prices) }]);
    expect(none).toStrictEqual([{ n: 0, total: 0, top: null }]);
  });
});

describe('an error in the core', () => {
  const failing = async (build: (stream: DataStream<unknown>) => DataStream<unknown>): Promise<Error> => {
    const env = new LocalEnvironment('fails');
    build(env.fromSource(FileSource.jsonLines<unknown>(jsonLines([{ id: 1, price: 5 }, { id: 2, price: 'seven' }, { price: 3 }])))).sink(new JsonLinesSink(fileName('jsonl')));
    return env.submit({ autostop: true }).then(
      () => expect.unreachable('it has to fail'),
      (error: Error) => error,
    );
  };

  it('names the operator, its line, the record and the expression', async () => {
    const error = await failing((stream) => stream.filter(col('price').mul(2).gt(1)).named('dear'));
    expect(error).toMatchObject({
      code: 'SAGE_EXPRESSION_VALUE',
      message: "price is a string, and price * 2 needs a number (operator 'dear')",
      operator: 'dear',
      record: { id: 2, price: 'seven' },
      declaredAt: { file: expect.stringContaining('native-expressions.test.ts') as string },
    });
  });

  it('is that of the keyBy where a record has no key field; only such fields as are used have been read', async () => {
    const error = await failing((stream) => stream.keyBy('id').aggregate({ n: count() }));
    expect(error).toMatchObject({ code: 'SAGE_KEY_MISSING_FIELD', operator: 'keyBy', record: {} });
  });

  it('is that of the aggregate where it is given a text', async () => {
    const error = await failing((stream) => stream.keyBy(col('id')).aggregate({ total: sum('price') }));
    expect(error).toMatchObject({ code: 'SAGE_AGGREGATE_INPUT', operator: 'aggregate', record: { id: 2, price: 'seven' } });
    expect(error.message).toContain("'total: sum(...)' needs numbers; a record gave the string seven");
  });

  it('is that of withColumn where the record is none', async () => {
    const env = new LocalEnvironment('fails');
    env.fromSource(FileSource.jsonLines<unknown>(jsonLines([{ a: 1 }, 5]))).withColumn('b', 1).sink([]);
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_EXPRESSION_VALUE', operator: 'withColumn', record: 5 });
  });
});

describe('the border', () => {
  const plan = (build: (stream: DataStream<Bid>) => unknown, parallelism = 1): string => {
    const env = new LocalEnvironment('border', { parallelism });
    build(env.fromSource(FileSource.jsonLines<Bid>('bids.jsonl')));
    return env.explain({ level: 'physical' });
  };

  it('lies before what the core does not do, and the plan says why', () => {
    const sink = (): JsonLinesSink<unknown> => new JsonLinesSink('out.jsonl');
    const cases: readonly (readonly [(stream: DataStream<Bid>) => unknown, why: string])[] = [
      [(s) => s.filter(col('price').gt(1)).onError('skip').sink(sink()), "from the reader in the core: 'filter' has an error policy"],
      [(s) => s.filter(col('price').gt(1)).inMain().sink(sink()), "from the reader in the core: 'filter' has to run in the main isolate"],
      [(s) => s.filter(col('price').gt(1)).map((bid) => bid).sink(sink()), 'from the core)'],
      [(s) => s.keyBy('auction').reduce((a) => a).sink(sink()), "'keyBy' has something else than one aggregate behind it"],
      [(s) => s.keyBy('auction').aggregate({ n: count() }, { emit: 'update' }).sink(sink()), "from the core: 'aggregate' gives running results"],
      [(s) => [s.filter(col('price').gt(1)).sink(sink()), s.print()], "'filter' is one of several behind 'source'"],
    ];
    for (const [build, why] of cases) expect(plan(build)).toContain(why);
  });

  it('is nowhere in a chain without JavaScript', () => {
    expect(plan((stream) => query(stream).sink(new JsonLinesSink('out.jsonl')), 2)).toMatchInlineSnapshot(`
      "Physical plan
        stage 0: parallelism 2, native (read by the core on threads of its own)
          source 'source' (jsonLines 'bids.jsonl', columns auction, channel, price) -> filter 'filter' -> keyBy 'keyBy' -> extract 'aggregate (inputs)' -> exchange 0
          exchange 0 to stage 1: hash, with key (each key of 'keyBy' to its own instance)
        stage 1: parallelism 2, native (computed by the core on threads of its own)
          exchange 0 -> aggregate 'aggregate' (native) -> exchange 1
          exchange 1 to stage 2: forward (from 2 instances to one)
        stage 2: parallelism 1, native (written by the core on threads of its own)
          exchange 1 -> sink 'sink' (jsonLines 'out.jsonl')
        isolates: no worker thread (there is no user code to run)
        guarantee: none, as there are no checkpoints"
    `);
  });
});

