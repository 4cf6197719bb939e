import { inspect } from 'node:util';

import { coreError } from '../../common/errors.ts';
import type { FailureInfo } from '../../transformations/dead-letter.ts';

/** Code of an error that has none of its own. */
const NO_CODE = 'SAGE_USER_THREW';

/** An error, or whatever was thrown in place of one, as plain data. */
export function failureInfo(thrown: unknown): FailureInfo {
  const error = coreError(thrown) ?? thrown;
  if (!(error instanceof Error)) {
    const message = typeof error === 'object' ? inspect(error, { depth: 2 }) : String(error);
    return { name: error === null ? 'null' : typeof error, message, code: NO_CODE, stack: undefined };
  }
  const { code } = error as { code?: unknown };
  return {
    name: String(error.name),
    // User code can set anything as the message of an error.
    message: typeof error.message === 'string' ? error.message : inspect(error.message, { depth: 2 }),
    code: typeof code === 'string' || typeof code === 'number' ? String(code) : NO_CODE,
    stack: typeof error.stack === 'string' ? error.stack : undefined,
  };
}
