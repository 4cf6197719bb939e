import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';

import { ownCode } from '../common/package-paths.ts';
import { formatSourceLine, formatSourceLocation } from '../common/source-location.ts';
import { looksLikeSageError } from './job-json.ts';
import { UsageError } from './usage-error.ts';

const RECORD_TEXT = { depth: 4, maxArrayLength: 20, maxStringLength: 500, breakLength: 100 } as const;

/** What went wrong, for people: for ours the place, the record, the user's own error and the fix. */
export function errorText(error: unknown): string {
  if (error instanceof UsageError) return `sage-kernel: ${error.message}`;
  if (!looksLikeSageError(error)) return inspect(error);
  const lines = [`${error.code}: ${error.message}`];
  const { declaredAt, help, cause } = error;
  // A plan error has the place and the fix in its message.
  if (declaredAt !== undefined && !error.message.includes(formatSourceLocation(declaredAt))) {
    lines.push(`  at ${formatSourceLocation(declaredAt)}`, formatSourceLine(declaredAt));
  }
  if ('record' in error) lines.push(`  record: ${inspect(error.record, RECORD_TEXT).replaceAll('\n', '\n  ')}`);
  if (!error.message.includes(help)) lines.push(`  help: ${help}`);
  if (cause !== undefined) {
    lines.push(`  cause: ${causeText(cause).replaceAll('\n', '\n  ')}`);
  }
  return lines.filter((line) => line !== '').join('\n');
}

/** With the user's frames only: below them is how we came to call the function. */
function causeText(cause: unknown): string {
  if (!(cause instanceof Error)) return inspect(cause);
  const frames = (cause.stack ?? `${cause.name}: ${cause.message}`).split('\n');
  return frames.filter((line) => !(/^\s+at /.test(line) && isOurs(line))).join('\n');
}

function isOurs(frame: string): boolean {
  return frame.includes(ownCode) || frame.includes(pathToFileURL(ownCode).href) || frame.includes('(sage-kernel/');
}
