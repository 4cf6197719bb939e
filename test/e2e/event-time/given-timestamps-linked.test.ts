import { expect, it } from 'vitest';

// Before the first function is made: nothing of this process, nor of its workers, may generate code.
process.env['SAGE_CODEGEN'] = '0';
const { describeGivenTimestamps } = await import('./describe-given-timestamps.ts');
const { canGenerateCode } = await import('../../../ts/runtime/codec/can-generate-code.ts');

it('no code is generated here', () => {
  expect(canGenerateCode()).toBe(false);
});

describeGivenTimestamps('without code generation');
