import { inspect } from 'node:util';
import { normaliseSource } from './normalise-source.ts';

/** Items of a long list that are compared; its length always is. */
const SAMPLED_ITEMS = 16;

/** A text that is equal for equal values, whatever isolate made them: constructor arguments, settings, a spec. */
export function valueText(value: unknown): string {
  if (typeof value === 'function') return normaliseSource(Function.prototype.toString.call(value));
  return inspect(value, { depth: 8, maxArrayLength: 1000, maxStringLength: 100_000, sorted: true, breakLength: Infinity, getters: false });
}

/** The text of a list that may be long: its length and a sample of its items, spread evenly. */
export function listText(items: readonly unknown[]): string {
  const step = Math.max(1, items.length / SAMPLED_ITEMS);
  const samples: string[] = [];
  for (let at = 0; at < items.length; at += step) samples.push(valueText(items[Math.floor(at)]));
  return `${items.length} records: ${samples.join(', ')}`;
}
