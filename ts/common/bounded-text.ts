import { inspect } from 'node:util';

import { shortened } from './plain-value.ts';

const MOST_CHARACTERS = 2_000;
const LIMITS = { depth: 4, maxArrayLength: 20, maxStringLength: 500, breakLength: 100, getters: false } as const;

/** A value as people read it, on a few lines, whatever it is: deep, huge, endless, or with code of its own that throws. */
export function boundedText(value: unknown): string {
  return shortened(inspected(value), MOST_CHARACTERS);
}

function inspected(value: unknown): string {
  try {
    return inspect(withFewFields(value), LIMITS);
  } catch {
    // Its own inspect method, or the traps of a proxy.
  }
  try {
    return inspect(value, { ...LIMITS, customInspect: false, showProxy: true });
  } catch {
    return `[${typeof value} that cannot be shown]`;
  }
}

const MOST_FIELDS = 60;

/** `inspect` has a limit for items, but none for fields: an object used as a map may have a million. */
function withFewFields(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  const descriptors = Object.entries(Object.getOwnPropertyDescriptors(value));
  if (descriptors.length <= MOST_FIELDS) return value;
  const few = Object.defineProperties({}, Object.fromEntries(descriptors.slice(0, MOST_FIELDS))) as Record<string, unknown>;
  few[`... ${descriptors.length - MOST_FIELDS} more fields`] = '';
  return few;
}
