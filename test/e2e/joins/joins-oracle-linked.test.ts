import { expect, it } from 'vitest';

// Before the first function is made: nothing of this process, nor of its workers, may generate code.
process.env['SAGE_CODEGEN'] = '0';
const { describeConnect } = await import('./describe-connect.ts');
const { describeJoins } = await import('./describe-joins.ts');
const { describeLookups } = await import('./describe-lookups.ts');
const { describeTableJoins } = await import('./describe-table-joins.ts');
const { canGenerateCode } = await import('../../../ts/runtime/codec/can-generate-code.ts');

it('no code is generated here', () => {
  expect(canGenerateCode()).toBe(false);
});

describeConnect('without code generation');
describeJoins('without code generation');
describeTableJoins('without code generation');
describeLookups('without code generation');
