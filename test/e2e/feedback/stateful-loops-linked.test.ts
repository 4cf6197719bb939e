import { expect, it } from 'vitest';

// Before the first function is made: nothing of this process may generate code.
process.env['SAGE_CODEGEN'] = '0';
const { ALWAYS_ON_DISK } = await import('../state/state-environment.ts');
const { describeStatefulLoops } = await import('./describe-stateful-loops.ts');
const { canGenerateCode } = await import('../../../ts/runtime/codec/can-generate-code.ts');

it('no code is generated here', () => {
  expect(canGenerateCode()).toBe(false);
});

describeStatefulLoops('without code generation, with state in memory', 'memory');
describeStatefulLoops('without code generation, with state on disk', ALWAYS_ON_DISK);
