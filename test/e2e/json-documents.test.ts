import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { FileSource, JsonSink, LocalEnvironment, sum } from '../../ts/index.ts';
import { shareOfRuns } from '../property-runs.ts';
import { recordsOf } from './support/run-to-array.ts';

const DATA = join(import.meta.dirname, '../../node_modules/vega-datasets/data');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sage-json-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function written(records: readonly unknown[]): Promise<string> {
  const path = join(folder, 'written.json');
  const env = new LocalEnvironment('write');
  env.fromCollection(records).sink(new JsonSink(path));
  await env.submit({ autostop: true });
  return readFileSync(path, 'utf8');
}

describe('reading', () => {
  test.each(readdirSync(DATA).filter((name) => name.endsWith('.json')))('%s is read as JSON.parse reads it', async (name) => {
    const path = join(DATA, name);
    const document: unknown = JSON.parse(readFileSync(path, 'utf8'));
    expect(await recordsOf((env) => env.fromSource(FileSource.json(path)))).toEqual(Array.isArray(document) ? document : [document]);
  });

  test('a path leads to the records inside a document', async () => {
    const path = join(DATA, 'earthquakes.json');
    const { features } = JSON.parse(readFileSync(path, 'utf8')) as { features: unknown[] };
    expect(features.length).toBeGreaterThan(1000);
    expect(await recordsOf((env) => env.fromSource(FileSource.json(path, { at: 'features' })))).toEqual(features);
    expect(await recordsOf((env) => env.fromSource(FileSource.json(path, { at: '/features/0/properties' })))).toEqual([(features[0] as { properties: unknown }).properties]);
  });

  test('only the fields that are used are read', async () => {
    const path = write('rows.json', JSON.stringify({ 'a/b': { rows: [{ k: 'x', n: 1, big: ['no'] }, { k: 'y', n: 2 }, { k: 'x', n: 3 }] } }, null, 2));
    const totals = await recordsOf((env) =>
      env.fromSource(FileSource.json<{ k: string; n: number }>(path, { at: '/a~1b/rows' })).keyBy('k').aggregate({ n: sum('n') }),
    );
    expect(totals).toEqual(expect.arrayContaining([{ key: 'x', n: 4 }, { key: 'y', n: 2 }]));
  });

  test('what is malformed is named with line and column', async () => {
    const path = write('broken.json', '[\n  {"a": 1},\n  {"a": }\n]');
    await expect(recordsOf((env) => env.fromSource(FileSource.json(path)))).rejects.toMatchObject({
      code: 'SAGE_FORMAT_JSON',
      message: expect.stringMatching(/broken\.json, line 3, column 9: a value is missing here/u),
    });
    await expect(recordsOf((env) => env.fromSource(FileSource.json(path, { at: 'rows' })))).rejects.toMatchObject({ code: 'SAGE_FORMAT_JSON' });
  });
});

test('a JSON document cannot be shared by several instances', () => {
  const stream = new LocalEnvironment('one').fromSource(FileSource.json('one.json'));
  expect(() => stream.parallelism(2)).toThrow(expect.objectContaining({ code: 'SAGE_PLAN_PARALLELISM' }));
});

test('a sink writes one array, also without records', async () => {
  expect(await written([])).toBe('[]\n');
  expect(await written([1, { a: 'x\ny' }, null])).toBe('[\n1,\n{"a":"x\\ny"},\nnull\n]\n');
});

test('what a sink writes, JSON.parse and a source read', async () => {
  // What JSON does not have becomes null, whatever is beside it.
  const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.double(), fc.constantFrom(undefined, Number.NaN, -0));
  await fc.assert(
    fc.asyncProperty(fc.array(value, { maxLength: 30 }), async (records) => {
      const positive: unknown = JSON.parse(JSON.stringify(records));
      expect(JSON.parse(await written(records))).toEqual(positive);
      expect(await recordsOf((env) => env.fromSource(FileSource.json(join(folder, 'written.json'))))).toEqual(positive);
    }),
    { numRuns: shareOfRuns(0.3) },
  );
});
