import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { emitDecoder } from '../../../ts/compiler/codegen/decoder.ts';
import { type LayoutNode, leaf } from '../../../ts/compiler/layout/layout.ts';
import { BatchReader, LayoutCache } from '../../../ts/runtime/codec/batch-reader.ts';
import { BatchWriter } from '../../../ts/runtime/codec/batch-writer.ts';
import { linkDecoder } from '../../../ts/runtime/codec/linked-decoder.ts';
import { memoryRegistry } from './memory-registry.ts';

type Rows = readonly (readonly [value: unknown, key: unknown])[];

/** Reads a loaded batch with the generated decoder, as a segment would. */
function readGenerated(reader: BatchReader): [unknown, unknown][] {
  const text = emitDecoder(reader.known.plan, reader.missing);
  const body = `
    const B = source, F64 = B.F64, I32 = B.I32, U32 = B.U32, U8 = B.U8, start = 0, rows = [];
    ${text.prelude.join('\n')}
    for (let i = 0; i < B.rows; i++) { ${text.row.join('\n')} rows.push([${text.record}, ${text.key ?? 'undefined'}]); }
    return rows;`;
  return new Function('source', body)(reader) as [unknown, unknown][];
}

function readLinked(reader: BatchReader): [unknown, unknown][] {
  const decoder = linkDecoder(reader.known.plan, reader);
  return Array.from({ length: reader.rows }, (_, row) => [decoder.record(row), decoder.key?.(row)]);
}

/** Sends rows through a writer and gives what both decoders read on the other side. */
function roundTrip(rows: Rows, keyed = false, registry = memoryRegistry()): { generated: [unknown, unknown][]; linked: [unknown, unknown][]; layouts: string[] } {
  const reader = new BatchReader(new LayoutCache(registry));
  const generated: [unknown, unknown][] = [];
  const linked: [unknown, unknown][] = [];
  const writer = new BatchWriter({
    registry,
    keyed,
    encoding: 'columns',
    deliver: (image, count) => {
      if (image.length > reader.image.length) reader.resize(image.length);
      image.copy(reader.image);
      reader.load();
      expect(reader.rows).toBe(count);
      generated.push(...readGenerated(reader));
      linked.push(...readLinked(reader));
    },
  });
  for (const [value, key] of rows) writer.append(value, key);
  writer.flush();
  return { generated, linked, layouts: registry.layouts };
}

describe('announced columns', () => {
  const rows = [{ id: 1 }, { id: 2, note: 'late', place: { x: 1 } }, { id: 3, place: { x: 2, y: 3 } }, { id: 4, note: null }];

  /** Layouts that one writer goes through, by what was announced. */
  function layoutsOf(announced: LayoutNode | undefined): { layouts: string[]; batches: number } {
    const registry = memoryRegistry();
    let batches = 0;
    const writer = new BatchWriter({ registry, keyed: false, encoding: 'columns', announced, deliver: () => batches++ });
    for (const row of rows) writer.append(row);
    writer.flush();
    return { layouts: registry.layouts, batches };
  }

  it('given optional fields that come late, then there is one layout and one batch instead of several', () => {
    const place: LayoutNode = { type: 'record', fields: [['x', leaf('f64')], ['y', leaf('f64', true)]], optional: true };
    const announced: LayoutNode = { type: 'record', fields: [['note', leaf('str', true)], ['id', leaf('f64')], ['place', place]], optional: false };
    expect(layoutsOf(undefined).layouts.length).toBeGreaterThan(2);
    // The order is that of the first record, and behind it that of the announcement.
    const row = { rec: [['id', 'f64'], ['note', 'str?'], ['place', { rec: [['x', 'f64'], ['y', 'f64?']], opt: true }]] };
    expect(layoutsOf(announced)).toEqual({ layouts: [JSON.stringify({ row })], batches: 1 });
  });

  it('given an announcement that is wrong, then the records decide', () => {
    const announced: LayoutNode = { type: 'record', fields: [['id', leaf('str')], ['other', leaf('bool')]], optional: false };
    expect(layoutsOf(announced).layouts.at(-1)).toMatch(/"id","any"/);
  });
});

function expectRoundTrip(values: readonly unknown[]): string[] {
  const { generated, linked, layouts } = roundTrip(values.map((value) => [value, undefined] as const));
  // The oracle is structured clone: what the language itself says a copy of the value is.
  const expected = values.map((value) => structuredClone(value));
  expect(generated.map(([value]) => value)).toStrictEqual(expected);
  expect(linked.map(([value]) => value)).toStrictEqual(expected);
  return layouts;
}

describe('records cross an exchange as structured clone would copy them', () => {
  it('plain records become one column a field', () => {
    const layouts = expectRoundTrip([
      { id: 1, name: 'a', ok: true },
      { id: -0, name: '', ok: false },
      { id: Number.NaN, name: 'ünï', ok: true },
    ]);
    expect(layouts).toEqual(['{"row":{"rec":[["id","f64"],["name","str"],["ok","bool"]]}}']);
  });

  it('null, undefined and a missing field stay three different things', () => {
    expectRoundTrip([{ a: 1, b: 'x' }, { a: null, b: undefined }, { b: 'y' }, { a: 2 }, { a: undefined, b: null, c: [1] }]);
  });

  it('strings keep unpaired surrogates, also where two rows would join into a pair', () => {
    expectRoundTrip(['\uD83D', '\uDE00', 'a\uD83D', '\uDE00b', '😀', 'plain', '', 'é'.repeat(3000)]);
  });

  it('values beyond columns survive: dates, bigint, collections, typed arrays, cycles, holes, errors', () => {
    const cycle: { name: string; self?: unknown; list: unknown[] } = { name: 'c', list: [] };
    cycle.self = cycle;
    cycle.list.push(cycle, { twice: cycle.list });
    const shared = { n: 1 };
    expectRoundTrip([
      { v: new Date(5) }, { v: new Date(Number.NaN) }, { v: 10n ** 30n }, { v: new Map([[1, { a: 'b' }]]) },
      { v: new Set([1, 'x']) }, { v: new Uint8Array([1, 2, 255]) }, { v: new Float64Array([0.5, -0]) }, { v: /x+/gi },
      { v: [1, , 3] }, { v: [undefined, null, 'text', [[]]] }, cycle, { v: [shared, shared] }, { v: 2 ** 53 + 2 },
      { v: {} }, new Map(), {}, [], null, undefined, 0, '', false,
      { __proto__: null, plain: 1 }, JSON.parse('{"__proto__": {"x": 1}, "b": 2}'),
    ]);
  });

  it('a hole stays a hole where an item of the tuples before it was undefined or of any kind', () => {
    expectRoundTrip([[new Map(), 1], [, 2], [undefined, 3]]);
    expectRoundTrip([[undefined, 1], [, 2]]);
    expectRoundTrip([['a', 1], [null, 1], [, 2]]);
  });

  it('a shared object stays one object, a cycle a cycle', () => {
    const shared = { n: 1 };
    const [[value]] = roundTrip([[{ list: [shared, shared] }, undefined]]).generated as [[{ list: unknown[] }, unknown]];
    expect(value.list[0]).toBe(value.list[1]);
  });

  it('class instances arrive as plain objects with their own fields', () => {
    class Point {
      x = 1;
      y = 2;
      get sum(): number {
        return this.x + this.y;
      }
    }
    expectRoundTrip([new Point(), { x: 3, y: 4 }]);
  });

  it('a function in a record is an error that names the path, and the rows before it are not lost', () => {
    const registry = memoryRegistry();
    let delivered = 0;
    const writer = new BatchWriter({ registry, keyed: false, encoding: 'columns', deliver: (_image, rows) => (delivered += rows) });
    writer.append({ a: [1] });
    expect(() => writer.append({ a: [{ f: () => 1 }] })).toThrow(/a\.0\.f is a function/);
    writer.append({ a: [2] });
    writer.flush();
    expect(delivered).toBe(2);
  });

  it('field names that are no Unicode text survive', () => {
    expectRoundTrip([{ '\uD800': 1, b: [{ '\uDC00': 2 }] }]);
  });

  it('over-large rows pass', () => {
    expectRoundTrip([{ text: 'x'.repeat(3_000_000) }, { text: 'é'.repeat(200_000) }, { text: '' }]);
  });

  it('many rows of changing shapes end in few layouts', () => {
    const rows = Array.from({ length: 5000 }, (_, n) => (n % 7 === 0 ? { a: n, b: `${n}` } : { a: n, b: n % 3 === 0 ? null : 'x', [`f${n % 5}`]: n }));
    expect(expectRoundTrip(rows).length).toBeLessThan(20);
  });

  it('records of more than 256 columns, also nested ones, are one column', () => {
    const fields = (count: number, value: unknown): Record<string, unknown> => Object.fromEntries(Array.from({ length: count }, (_, n) => [`f${n}`, value]));
    expect(expectRoundTrip([fields(16, fields(16, 1))])).toEqual([expect.stringContaining('{"rec":')]);
    for (const wide of [fields(257, 1), fields(20, fields(20, 1)), fields(9, fields(9, fields(9, fields(9, 'x')))), Array.from({ length: 9 }, () => fields(30, true))]) {
      expect(expectRoundTrip([wide])).toEqual(['{"row":"any"}']);
    }
  });

  it('objects that share parts are looked into once for each part', () => {
    let shared: object = { v: 1 };
    for (let depth = 0; depth < 60; depth++) shared = { a: shared, b: shared };
    let at = roundTrip([[shared, undefined]]).generated[0]![0] as { a?: object; v?: number };
    let depth = 0;
    for (; at.a !== undefined; depth++) at = at.a;
    expect([depth, at]).toEqual([60, { v: 1 }]);
  });

  it('when the job can know no more shapes of objects, their names travel with them', () => {
    const registry = memoryRegistry();
    const full = { ...registry, internShape: (): number => { throw new Error(JSON.stringify({ code: 'SAGE_LIMIT_LAYOUTS', message: 'too many' })); } };
    const values = Array.from({ length: 5 }, (_, n) => ({ list: [{ [`f${n}`]: n }] }));
    expect(roundTrip(values.map((value) => [value, undefined] as const), false, full).generated.map(([value]) => value)).toStrictEqual(values);
  });

  it('any value round trips (property)', () => {
    const anything = fc.anything({
      withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true, withSparseArray: true,
      withNullPrototype: false, withUnicodeString: true, withObjectString: false, maxDepth: 3,
    });
    const jsonish = fc.array(fc.dictionary(fc.string({ maxLength: 3, unit: 'binary' }), fc.jsonValue({ maxDepth: 2, noUnicodeString: false }), { maxKeys: 4, noNullPrototype: true }), { maxLength: 20 });
    fc.assert(fc.property(fc.array(anything, { maxLength: 8 }), (values) => void expectRoundTrip(values)));
    fc.assert(fc.property(jsonish, (values) => void expectRoundTrip(values)));
  });
});

describe('keys', () => {
  it('every value is a key and comes back by value', () => {
    const keys = [0, '', false, null, undefined, 1, '1', true, 'a', '\uD800', 1n, new Date(7), [1, 'x'], { b: 1, a: [null] }, Number.NaN];
    const { generated } = roundTrip(keys.map((key) => [{ n: 1 }, key] as const), true);
    expect(generated.map(([, key]) => key)).toStrictEqual(keys);
  });

  it('-0 and 0 have equal bytes, so do objects with fields in another order', () => {
    const { generated } = roundTrip([[1, { x: -0, y: 1 }], [1, { y: 1, x: 0 }]], true);
    expect(Object.is((generated[0]![1] as { x: number }).x, 0)).toBe(true);
    expect(Object.keys(generated[1]![1] as object)).toEqual(['x', 'y']);
  });

  it('functions, maps and cycles are refused by name', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    for (const key of [() => 1, new Map(), cycle, Symbol('s')]) {
      expect(() => roundTrip([[1, key]], true)).toThrow(/a key must be/);
    }
  });
});
