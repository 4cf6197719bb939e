// Without generated code: what `SAGE_CODEGEN=0` and `--disallow-code-generation-from-strings` run.
import { describe } from 'vitest';

process.env['SAGE_CODEGEN'] = '0';
const { testOperators } = await import('./operators.cases.ts');

describe('operators that go on from a checkpoint in the linked form', testOperators);
