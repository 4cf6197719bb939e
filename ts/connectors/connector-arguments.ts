import { fileURLToPath } from 'node:url';
import { planError } from '../common/errors.ts';
import type { SourceLocation } from '../common/source-location.ts';
import { isStandardSchema } from '../common/standard-schema.ts';
import { describeValue } from '../functions/check-user-function.ts';

/** A path as text; `file:` URLs are taken too. @throws SageError SAGE_PLAN_ARGUMENT */
export function checkPath(value: unknown, call: string, declaredAt: SourceLocation): string {
  if (value instanceof URL && value.protocol === 'file:') return fileURLToPath(value);
  // The core takes paths and names as UTF-8, which has no unpaired surrogates.
  if (typeof value === 'string' && value !== '' && !value.includes('\0') && value.isWellFormed()) return value;
  const found = value instanceof URL ? `the URL ${value.href}` : describeValue(value);
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: `${call} was given ${found}`,
    expected: 'the path of a file as a text that is not empty and has no unpaired surrogates, or a file: URL',
    found,
    fix: `Write ${call}('data/orders.jsonl').`,
    declaredAt,
  });
}

/** What a setting of a connector may be. */
export interface AllowedSetting {
  readonly accepts: (value: unknown) => boolean;
  /** In words. */
  readonly expected: string;
}

/** `true` or `false`. */
export const FLAG: AllowedSetting = { accepts: (value) => typeof value === 'boolean', expected: 'true or false' };

/** A whole number from 1. */
export const WHOLE_NUMBER: AllowedSetting = {
  accepts: (value) => Number.isSafeInteger(value) && (value as number) >= 1,
  expected: 'a whole number from 1',
};

/** Bytes of a line; ends of strings have 32 bits in the core. */
export const LINE_BYTES: AllowedSetting = {
  accepts: (value) => WHOLE_NUMBER.accepts(value) && (value as number) <= 2 ** 30,
  expected: 'a whole number from 1 to 2 ** 30',
};

/** Column names: at least one, none twice. */
export const COLUMN_NAMES: AllowedSetting = {
  accepts(value) {
    const names: readonly unknown[] = Array.isArray(value) ? value : [];
    return names.length > 0 && names.every((name) => typeof name === 'string' && name !== '' && name.isWellFormed()) && new Set(names).size === names.length;
  },
  expected: "an array of different column names with at least one, such as ['id', 'price']",
};

/** A schema of any library with Standard Schema. */
export const SCHEMA: AllowedSetting = { accepts: isStandardSchema, expected: 'a schema of zod, valibot, arktype, or another library with Standard Schema' };

/** One of some words. */
export function oneOf(...words: readonly string[]): AllowedSetting {
  return { accepts: (value) => words.includes(value as string), expected: words.map((word) => `'${word}'`).join(', ') };
}

/** The settings that were given, checked. @throws SageError SAGE_PLAN_ARGUMENT for unknown names and wrong values */
export function checkSettings<O extends object>(
  options: O,
  allowed: Readonly<Record<keyof O & string, AllowedSetting>>,
  call: string,
  declaredAt: SourceLocation,
): Partial<O> {
  const wrong = (message: string, expected: string, found: string, fix: string): Error =>
    planError('SAGE_PLAN_ARGUMENT', { message, expected, found, fix, declaredAt });
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw wrong(`the options of ${call} are ${describeValue(options)}`, 'an object', describeValue(options), 'Leave them away, or write { name: value }.');
  }
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  for (const [name, value] of given) {
    const setting = (allowed as Readonly<Record<string, AllowedSetting | undefined>>)[name];
    if (setting === undefined) {
      throw wrong(`${call} has no option ${name}`, `one of ${Object.keys(allowed).join(', ')}`, `'${name}'`, `Correct ${name} or leave it away.`);
    }
    if (setting.accepts(value)) continue;
    throw wrong(`${name} of ${call} is ${describeValue(value)}`, setting.expected, describeValue(value), `Correct ${name} or leave it away.`);
  }
  return Object.fromEntries(given) as Partial<O>;
}
