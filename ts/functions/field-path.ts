import { SageError } from '../common/errors.ts';

/** A path to a field of a record, `'price'` or `'user.address.city'`, taken apart. */
export interface FieldPath {
  /** Tells it from other inputs. */
  readonly form: 'path';
  /** As the user wrote it. */
  readonly path: string;
  /** At least one; none is empty. */
  readonly segments: readonly [string, ...string[]];
}

/** Whether `value` is a compiled path. */
export function isFieldPath(value: unknown): value is FieldPath {
  return typeof value === 'object' && value !== null && (value as { form?: unknown }).form === 'path';
}

/**
 * Takes a path apart.
 *
 * @throws SageError SAGE_PLAN_ARGUMENT when the path or one of its segments is empty.
 */
export function compileFieldPath(path: string): FieldPath {
  const segments = fieldPathSegments(path);
  if (segments === undefined) {
    throw new SageError('SAGE_PLAN_ARGUMENT', `${JSON.stringify(path)} is not a field path`, {
      help: "Give the name of a field, or names joined by dots: 'price', 'user.address.city'.",
    });
  }
  return { form: 'path', path, segments };
}

/** The names of a path; undefined when it or one of its names is empty. */
export function fieldPathSegments(path: string): FieldPath['segments'] | undefined {
  const [first, ...rest] = path.split('.');
  return !first || rest.includes('') ? undefined : [first, ...rest];
}

/**
 * The value at `path`. A field that is there with the value `undefined` or `null` has that value.
 *
 * @throws SageError SAGE_KEY_MISSING_FIELD when the record does not have the field: it is never replaced by something else.
 */
export function readField(path: FieldPath, record: unknown): unknown {
  let value: unknown = record;
  for (const segment of path.segments) {
    if (value === undefined || value === null || !(segment in Object(value))) {
      throw new SageError('SAGE_KEY_MISSING_FIELD', `the record has no field '${path.path}'`, {
        record,
        help: `Use a function in place of '${path.path}' that says what such records have instead.`,
      });
    }
    value = (value as Record<string, unknown>)[segment];
  }
  return value;
}

/** The value at `path`, or `undefined` where the record does not have the field: what `record?.a?.b` gives in generated code. */
export function readOptionalField(path: FieldPath, record: unknown): unknown {
  let value: unknown = record;
  for (const segment of path.segments) value = (value as Record<string, unknown> | null | undefined)?.[segment];
  return value;
}
