import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';

import type { StandardSchema } from '../../../ts/common/standard-schema.ts';
import { makeLayout } from '../../../ts/compiler/layout/layout.ts';
import { schemaLayout } from '../../../ts/compiler/schema/schema-layout.ts';
import { strippedFields } from '../../../ts/compiler/schema/stripped-fields.ts';

/** Fields as `name` or `name?`, in the order of the schema. */
function fieldsOf(schema: StandardSchema): string[] | undefined {
  const fields = strippedFields(schema);
  return fields === undefined ? undefined : [...fields].map(([name, { mayBeMissing }]) => `${name}${mayBeMissing ? '?' : ''}`);
}

/** The row of the layout text: what isolates and the core exchange. */
function rowOf(schema: StandardSchema, encoding: 'columns' | 'json' = 'columns'): unknown {
  const node = schemaLayout(schema, encoding);
  return node === undefined ? undefined : (JSON.parse(makeLayout(node).text) as { row: unknown }).row;
}

describe('the fields that a schema looks at', () => {
  test('given an object of zod, valibot or arktype that leaves out what it does not know, then its fields', () => {
    expect(fieldsOf(z.object({ id: z.string().transform(Number), note: z.string().optional(), at: z.coerce.date().default(new Date(0)) }))).toEqual(['id', 'note?', 'at?']);
    expect(fieldsOf(z.object({ a: z.number() }).refine(({ a }) => a > 0))).toEqual(['a']);
    expect(fieldsOf(v.object({ id: v.number(), note: v.optional(v.string()), maybe: v.nullish(v.string()) }))).toEqual(['id', 'note?', 'maybe?']);
    expect(fieldsOf(v.pipe(v.object({ a: v.number() }), v.transform(({ a }) => a)))).toEqual(['a']);
    expect(fieldsOf(type({ '+': 'delete', id: 'number', 'note?': 'string', at: 'string.date.parse' }))?.toSorted()).toEqual(['at', 'id', 'note?']);
  });

  test.each<[string, StandardSchema]>([
    ['keeps what it does not know (zod)', z.looseObject({ a: z.number() })],
    ['keeps what it does not know, by a catch-all (zod)', z.object({ a: z.number() }).catchall(z.string())],
    ['refuses what it does not know (zod)', z.strictObject({ a: z.number() })],
    ['works on the object before it looks at its fields (zod)', z.preprocess((x) => ({ a: (x as { b: number }).b }), z.object({ a: z.number() }))],
    ['is no object (zod)', z.union([z.object({ a: z.number() }), z.object({ b: z.number() })])],
    ['keeps what it does not know (valibot)', v.looseObject({ a: v.number() })],
    ['refuses what it does not know (valibot)', v.strictObject({ a: v.number() })],
    ['works on the object before it looks at its fields (valibot)', v.pipe(v.unknown(), v.transform(() => ({ a: 1 })), v.object({ a: v.number() }))],
    ['keeps what it does not know (arktype)', type({ a: 'number' })],
    ['refuses what it does not know (arktype)', type({ '+': 'reject', a: 'number' })],
    ['morphs as a whole (arktype)', type({ a: 'number' }).pipe((x) => ({ a: (x as unknown as { b: number }).b }), type({ '+': 'delete', a: 'number' }))],
    ['looks at the whole (arktype)', type({ '+': 'delete', a: 'number' }).narrow((x) => 'b' in x)],
    ['has no fields', z.object({})],
  ])('given a schema that %s, then nothing is known', (_, schema) => {
    expect(fieldsOf(schema)).toBeUndefined();
  });

  test('given a library that nobody knows, or an unknown version of one, then nothing is known', () => {
    const standard = { version: 1 as const, validate: (value: unknown) => ({ value }) };
    expect(fieldsOf({ '~standard': { ...standard, vendor: 'home-made' } })).toBeUndefined();
    for (const vendor of ['zod', 'valibot', 'arktype']) expect(fieldsOf({ '~standard': { ...standard, vendor } })).toBeUndefined();
  });
});

describe('the columns that a schema announces', () => {
  test('given fields that may be null or missing, then these are optional; nested objects are columns, arrays are not', () => {
    const schema = z.object({
      id: z.int(),
      name: z.string(),
      flag: z.boolean().nullable(),
      kind: z.enum(['a', 'b']),
      exact: z.literal(3),
      note: z.string().optional(),
      place: z.object({ x: z.number(), y: z.number().optional() }),
      tags: z.array(z.string()),
    });
    const row = (list: string) => ({
      rec: [
        ['id', 'f64'],
        ['name', 'str'],
        ['flag', 'bool?'],
        ['kind', 'str'],
        ['exact', 'f64'],
        ['note', 'str?'],
        ['place', { rec: [['x', 'f64'], ['y', 'f64?']] }],
        ['tags', list],
      ],
    });
    expect(rowOf(schema)).toEqual(row('any'));
    expect(rowOf(schema, 'json')).toEqual(row('json?'));
  });

  test('given what JSON Schema has no word for, then that field is left open and the others are known', () => {
    expect(rowOf(z.object({ at: z.date(), n: z.number() }))).toEqual({ rec: [['at', 'nil?'], ['n', 'f64']] });
    expect(rowOf(z.object({ n: z.string().transform(Number), s: z.string() }))).toEqual({ rec: [['n', 'nil?'], ['s', 'str']] });
    expect(rowOf(type({ at: 'string.date.parse', n: 'number | null' }))).toEqual({ rec: [['at', 'nil?'], ['n', 'f64?']] });
  });

  test('given a field of several types, then it is the general column; of a recursive type, then what is known of it', () => {
    expect(rowOf(z.object({ x: z.union([z.string(), z.number()]) }))).toEqual({ rec: [['x', 'any']] });
    const Node = z.object({ value: z.number(), get next() { return Node.optional(); } });
    expect(rowOf(Node)).toEqual({ rec: [['value', 'f64'], ['next', 'nil?']] });
  });

  test('given valibot, then it needs the JSON Schema of its companion package', () => {
    const schema = v.object({ id: v.number(), note: v.optional(v.string()) });
    expect(rowOf(schema)).toBeUndefined();
    expect(rowOf(toStandardJsonSchema(schema))).toEqual({ rec: [['id', 'f64'], ['note', 'str?']] });
  });

  test('given a schema of something else than objects, or one that cannot be said, then nothing is announced', () => {
    for (const schema of [z.string(), z.array(z.number()), z.record(z.string(), z.number()), z.object({ a: z.number() }).transform(({ a }) => a)]) {
      expect(rowOf(schema as StandardSchema)).toBeUndefined();
    }
  });
});
