import { fileURLToPath } from 'node:url';
import { planError } from '../common/errors.ts';
import type { SourceLocation } from '../common/source-location.ts';
import { describeValue } from '../functions/check-user-function.ts';

/** A path as text; `file:` URLs are taken too. @throws SageError SAGE_PLAN_ARGUMENT */
export function checkPath(value: unknown, call: string, declaredAt: SourceLocation): string {
  if (value instanceof URL && value.protocol === 'file:') return fileURLToPath(value);
  if (typeof value === 'string' && value !== '' && !value.includes('\0')) return value;
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: `${call} was given ${value instanceof URL ? `the URL ${value.href}` : describeValue(value)}`,
    expected: 'the path of a file as a text that is not empty, or a file: URL',
    fix: `Write ${call}('data/orders.jsonl').`,
    declaredAt,
  });
}

/** Column names: at least one, none twice. @throws SageError SAGE_PLAN_ARGUMENT */
export function checkColumns(value: unknown, call: string, declaredAt: SourceLocation): readonly string[] | undefined {
  if (value === undefined) return undefined;
  const names: readonly unknown[] = Array.isArray(value) ? value : [];
  const valid = names.length > 0 && names.every((name) => typeof name === 'string' && name !== '');
  if (valid && new Set(names).size === names.length) return names as readonly string[];
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: `columns of ${call} is ${JSON.stringify(value) ?? describeValue(value)}`,
    expected: 'an array of different column names, with at least one',
    fix: `Write ${call}(path, { columns: ['id', 'price'] }), or leave columns away for all.`,
    declaredAt,
  });
}
