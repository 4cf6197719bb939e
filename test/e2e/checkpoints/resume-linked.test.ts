// Without generated code: what `SAGE_CODEGEN=0` and `--disallow-code-generation-from-strings` run.
import { describe } from 'vitest';

process.env['SAGE_CODEGEN'] = '0';
const { testResume } = await import('./resume.cases.ts');

describe('going on from checkpoints in the linked form', testResume);
