// Without generated code: what `SAGE_CODEGEN=0` and `--disallow-code-generation-from-strings` run.
import { describe } from 'vitest';

process.env['SAGE_CODEGEN'] = '0';
const { testExpressions } = await import('./expressions.cases.ts');

describe('expressions in the linked form', testExpressions);
