import { expect, it } from 'vitest';

// Before the first function is made: nothing of this process may generate code.
process.env['SAGE_CODEGEN'] = '0';
const { describeFunctionState } = await import('./describe-function-state.ts');
const { canGenerateCode } = await import('../../../ts/runtime/codec/can-generate-code.ts');

it('no code is generated here', () => {
  expect(canGenerateCode()).toBe(false);
});

describeFunctionState('without code generation');
