import { describe, expect, it } from 'vitest';

import { failureOf } from '../e2e/support/failure-of.ts';
import { ODDITIES, oddErrors } from './pipelines/odd-errors.ts';

describe.each([
  ['the main isolate', 1],
  ['a worker', 2],
] as const)('an error that is odd itself, in %s', (_, parallelism) => {
  it.each(ODDITIES)('%s: the failure is still that of its operator and record', async (oddity) => {
    const error = await failureOf(oddErrors.run(oddity, { parallelism }));
    expect(error).toMatchObject({ code: 'SAGE_USER_THREW', operator: 'the odd', record: 4 });
    expect(error.message).toContain(oddity === 'an object as its message' ? "reason: 'full'" : 'odd');
    expect(error.cause).toBeInstanceOf(Error);
  });
});
