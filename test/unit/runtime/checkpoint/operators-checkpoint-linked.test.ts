import { describe } from 'vitest';

// Before the first function is made.
process.env['SAGE_CODEGEN'] = '0';
const { describeOperators } = await import('./describe-operators.ts');

describe('without generated code', () => describeOperators('linked'));
