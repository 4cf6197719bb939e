import { expect } from 'vitest';

import { type SageError, isSageError } from '../../../ts/index.ts';

/** The error that a run has to fail with, one of ours. */
export async function failureOf(run: Promise<unknown>): Promise<SageError> {
  const error = await run.then(() => expect.fail('it went through'), (thrown: unknown) => thrown);
  if (!isSageError(error)) throw error;
  return error;
}
