// Before the first function is made: nothing of this process, nor of its workers, may generate code.
process.env['SAGE_CODEGEN'] = '0';

const { describeRandomGraphs } = await import('./random/describe-random-graphs.ts');

describeRandomGraphs('without code generation');

export {};
