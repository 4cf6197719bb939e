import { SageError } from '../common/errors.ts';

/**
 * A text that is equal for equal values, whatever the order of their fields and of what is in their Maps and Sets. What
 * has no value of its own, a function for instance, is told by its text.
 *
 * @throws SageError SAGE_USER_WRONG_TYPE for a cycle: it has no end to compare.
 */
export function distinctText(value: unknown): string {
  return textOf(value, []);
}

/** @param above the objects that `value` is in. */
function textOf(value: unknown, above: readonly object[]): string {
  if (typeof value === 'object' && value !== null) return objectText(value, above);
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'bigint' ? `${value}n` : String(value === 0 ? 0 : value);
}

function objectText(value: object, above: readonly object[]): string {
  if (above.includes(value)) {
    throw new SageError('SAGE_USER_WRONG_TYPE', 'a value that contains itself cannot be compared by value', {
      help: 'Give a path or a function of the part that counts.',
    });
  }
  const inside = [...above, value];
  const text = (item: unknown): string => textOf(item, inside);
  if (value instanceof Date) return `D${value.getTime()}`;
  if (Array.isArray(value)) return `[${value.map(text).join(',')}]`;
  if (value instanceof Map) return `Map{${[...value].map(([key, item]) => `${text(key)}:${text(item)}`).sort().join(',')}}`;
  if (value instanceof Set) return `Set{${[...value].map(text).sort().join(',')}}`;
  if (value instanceof RegExp) return `R${String(value)}`;
  if (value instanceof Error) return `E${text([value.name, value.message, value.cause])}`;
  if (value instanceof ArrayBuffer) return `ArrayBuffer[${new Uint8Array(value).join(',')}]`;
  if (value instanceof DataView) return `DataView[${new Uint8Array(value.buffer, value.byteOffset, value.byteLength).join(',')}]`;
  if (ArrayBuffer.isView(value)) return `${value.constructor.name}[${(value as Uint8Array).join(',')}]`;
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${text((value as Record<string, unknown>)[name])}`).join(',')}}`;
}
