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
  const code = read(() => (error as { code?: unknown }).code);
  const stack = read(() => error.stack);
  return {
    name: text(read(() => error.name)),
    message: text(read(() => error.message)),
    code: typeof code === 'string' || typeof code === 'number' ? String(code) : NO_CODE,
    stack: typeof stack === 'string' ? stack : undefined,
  };
}

/** User code can set anything as a property of an error, also what cannot be read. */
function read(property: () => unknown): unknown {
  try {
    return property();
  } catch {
    return undefined;
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : inspect(value, { depth: 2 });
}
