// Before the first function is made.
process.env['SAGE_CODEGEN'] = '0';
const { describeWindows } = await import('./describe-operators.ts');

describeWindows('linked');

export {};
