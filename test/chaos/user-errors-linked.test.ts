import { expect, it } from 'vitest';

import { heavy } from './support/heavy.ts';

// Read when the first stage is made: all jobs of this file run without generated code, their workers too.
process.env['SAGE_CODEGEN'] = '0';
const { describeUserErrors } = await import('./support/user-error-suite.ts');
const { canGenerateCode } = await import('../../ts/runtime/codec/can-generate-code.ts');

it('no code is generated here', () => {
  expect(canGenerateCode()).toBe(false);
});

describeUserErrors('without generated code', { parallelism: 1 });
if (heavy) describeUserErrors('without generated code, in workers', { parallelism: 2 });
