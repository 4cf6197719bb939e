import { expect, test } from 'vitest';
import { compileFieldPath, isFieldPath, readField, readOptionalField } from '../../../ts/functions/field-path.ts';

test('a path is taken apart at its dots', () => {
  expect(compileFieldPath('user.address.city')).toEqual({ form: 'path', path: 'user.address.city', segments: ['user', 'address', 'city'] });
  expect(isFieldPath(compileFieldPath('a'))).toBe(true);
  expect(isFieldPath({ path: 'a' })).toBe(false);
});

test.each(['', '.', 'a.', '.a', 'a..b'])("'%s' is no path", (path) => {
  expect(() => compileFieldPath(path)).toThrow(expect.objectContaining({ code: 'SAGE_PLAN_ARGUMENT' }));
});

test.each([0, '', false, null, undefined, Number.NaN])('a field that is there has its value: %s', (value) => {
  expect(readField(compileFieldPath('a.b'), { a: { b: value } })).toBe(value);
});

test('a path reads what `?.` reads, also of texts and arrays', () => {
  for (const [path, record, value] of [['name.length', { name: 'four' }, 4], ['length', 'two', 3], ['list.1', { list: [5, 6] }, 6]] as const) {
    expect(readField(compileFieldPath(path), record)).toBe(value);
    expect(readOptionalField(compileFieldPath(path), record)).toBe(value);
  }
});

test.each([[{}], [{ a: {} }], [{ a: null }], [{ a: 3 }], [{ a: 'text' }], [null], [undefined], [5]])(
  'a missing field is an error that holds the record: %j',
  (record) => {
    const read = () => readField(compileFieldPath('a.b'), record);
    expect(read).toThrow(expect.objectContaining({ code: 'SAGE_KEY_MISSING_FIELD', record, message: expect.stringContaining("'a.b'") }));
    expect(readOptionalField(compileFieldPath('a.b'), record)).toBeUndefined();
  },
);
