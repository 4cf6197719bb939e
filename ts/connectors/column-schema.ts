import { planError } from '../common/errors.ts';
import type { AllowedSetting } from './connector-arguments.ts';
import type { SinkCall } from './output-options.ts';

/** Types of columns that a file can be told to have; with `?` a column may be null. */
export type ColumnType = `${'f64' | 'i32' | 'bool' | 'str' | 'date' | 'json'}${'' | '?'}`;

/** Types of fields by their names; an object declares the fields of an object. */
export interface ColumnSchema {
  /** The type of a field, or the fields of an object in it. */
  readonly [field: string]: ColumnType | ColumnSchema;
}

/** Deeper than any record should be; an object that contains itself is. */
const MAX_SCHEMA_DEPTH = 64;

function isSchema(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || depth > MAX_SCHEMA_DEPTH) return false;
  return Object.values(value).every((type) => (typeof type === 'string' ? /^(f64|i32|bool|str|date|json)\??$/.test(type) : isSchema(type, depth + 1)));
}

/** What the option `schema` may be. */
export const SCHEMA: AllowedSetting = {
  accepts: isSchema,
  expected: "an object of column types, such as { note: 'str?', place: { x: 'f64?' } }; types are f64, i32, bool, str, date and json",
};

/** A file of columns has its structure at its end. @throws SageError SAGE_PLAN_ARGUMENT when the options ask to append */
export function refuseAppend({ call, declaredAt }: SinkCall, options: object): void {
  if (typeof options !== 'object' || options === null || !('append' in options) || options.append === undefined) return;
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: `${call} was given append, but such a file ends with a description of all that is in it, so that nothing can be written behind it`,
    expected: 'no append',
    fix: `Write another file into a folder: ${call}('out/', { existing: 'add' }).`,
    declaredAt,
  });
}
