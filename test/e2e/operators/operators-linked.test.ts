import { expect, it } from 'vitest';

// Before the first function is made.
process.env['SAGE_CODEGEN'] = '0';
const { describeBatch } = await import('./batch.cases.ts');
const { describeGates } = await import('./gates.cases.ts');
const { describeLeaving } = await import('./leaving.cases.ts');
const { describeMapAsync } = await import('./map-async.cases.ts');
const { describePolicies } = await import('./policies.cases.ts');
const { describeProcess } = await import('./process.cases.ts');
const { describeRoute } = await import('./route.cases.ts');
const { describeTold } = await import('./told.cases.ts');
const { canGenerateCode } = await import('../../../ts/runtime/codec/can-generate-code.ts');

it('no code is generated here', () => {
  expect(canGenerateCode()).toBe(false);
});

for (const describeCases of [describeBatch, describeGates, describeLeaving, describeMapAsync, describePolicies, describeProcess, describeRoute, describeTold]) describeCases('linked form');
