import { expect, it } from 'vitest';

// Before the first function is made.
process.env['SAGE_CODEGEN'] = '0';
const { describeCrossings } = await import('./describe-crossings.ts');
const { canGenerateCode } = await import('../../ts/runtime/codec/can-generate-code.ts');

it('no code is generated here', () => {
  expect(canGenerateCode()).toBe(false);
});

describeCrossings('without code generation', false);
