import { inspect } from 'node:util';
import { normaliseSource } from './normalise-source.ts';

/** Items of a long list that are compared; its length always is. */
const SAMPLED_ITEMS = 16;

/** A text that is equal for equal values, whatever isolate made them: constructor arguments, settings, a spec. */
export function valueText(value: unknown): string {
  if (typeof value === 'function') return normaliseSource(Function.prototype.toString.call(value));
  return inspect(comparable(value), { depth: 8, maxArrayLength: 1000, maxStringLength: 100_000, sorted: true, breakLength: Infinity, getters: false });
}

/**
 * A copy without what differs from isolate to isolate: what is in shared memory may change while the workers of a job build
 * its pipeline one after the other, and the stack of an error says who called whom there.
 */
function comparable(value: unknown, copies: Map<object, unknown> = new Map()): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const buffer = ArrayBuffer.isView(value) ? value.buffer : value;
  if (buffer instanceof SharedArrayBuffer) return `${value.constructor.name} of ${buffer.byteLength} shared bytes`;
  const isList = Array.isArray(value);
  const isError = value instanceof Error;
  if (!isList && !isError && Object.getPrototypeOf(value) !== Object.prototype) return value;
  const known = copies.get(value);
  if (known !== undefined) return known;
  const copy: Record<string, unknown> = isList ? ([] as unknown as Record<string, unknown>) : {};
  copies.set(value, copy);
  if (isError) return Object.assign(copy, { error: value.name, message: value.message, cause: comparable(value.cause, copies) }, value);
  for (const [name, field] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
    Object.defineProperty(copy, name, 'value' in field ? { ...field, value: comparable(field.value, copies) } : field);
  }
  return copy;
}

/** The text of a list that may be long: its length and a sample of its items, spread evenly. */
export function listText(items: readonly unknown[]): string {
  const step = Math.max(1, items.length / SAMPLED_ITEMS);
  const samples: string[] = [];
  for (let at = 0; at < items.length; at += step) samples.push(valueText(items[Math.floor(at)]));
  return `${items.length} records: ${samples.join(', ')}`;
}
