import { SageError } from '../common/errors.ts';
import type { SchemaResult, StandardIssue, StandardSchema } from '../common/standard-schema.ts';

/** One thing that is wrong with a record; the `cause` of SAGE_SCHEMA_INVALID is an array of these. */
export interface SchemaIssue {
  /** Where in the record: names of fields and positions in arrays; empty for the record itself. */
  readonly path: readonly (string | number)[];
  /** What is wrong, in words. */
  readonly message: string;
}

/** More issues than these are only counted in the message. */
const ISSUES_IN_MESSAGE = 3;

/**
 * A function that gives what the schema makes of a record, or a promise of it.
 *
 * @param lineOf line of the source that the record came from, where that is known.
 * @throws SageError SAGE_SCHEMA_INVALID, or rejects with it.
 */
export function schemaValidator(schema: StandardSchema, lineOf?: (record: unknown) => number | undefined): (record: unknown) => unknown {
  const standard = schema['~standard'];
  const settle = (result: SchemaResult<unknown>, line: number | undefined): unknown => {
    if (result.issues === undefined) return result.value;
    throw invalidRecord(result.issues, standard.vendor, line);
  };
  return (record) => {
    const result = standard.validate(record);
    if (!('then' in result)) return settle(result, 'issues' in result && result.issues !== undefined ? lineOf?.(record) : undefined);
    // By the time it settles the source may be further on.
    const line = lineOf?.(record);
    return result.then((settled) => settle(settled, line));
  };
}

function invalidRecord(found: readonly StandardIssue[], vendor: string, line: number | undefined): SageError {
  const issues = found.map((issue): SchemaIssue => ({ path: Array.from(issue.path ?? [], pathKey), message: issue.message }));
  const shown = issues.slice(0, ISSUES_IN_MESSAGE).map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`));
  const more = issues.length > shown.length ? `; and ${issues.length - shown.length} more` : '';
  const where = line === undefined ? 'a record' : `the record in line ${line}`;
  return new SageError('SAGE_SCHEMA_INVALID', `${where} does not match its ${vendor} schema: ${shown.join('; ')}${more}`, {
    context: { issues: issues.length, ...(line === undefined ? {} : { line }) },
    cause: issues,
  });
}

function pathKey(segment: PropertyKey | { readonly key: PropertyKey }): string | number {
  const key = typeof segment === 'object' ? segment.key : segment;
  return typeof key === 'symbol' ? String(key) : key;
}
