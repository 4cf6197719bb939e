import { inspect, stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { errorReport } from '../../../ts/common/error-report.ts';
import { atOperator, operatorError, planError, SageError } from '../../../ts/common/errors.ts';

const nowhere = { file: '[eval]', line: 4, column: 2 };
const plan = (): SageError => planError('SAGE_PLAN_ARGUMENT', { message: 'map was given 3', expected: 'a function', found: 'the number 3', declaredAt: nowhere });

test('a plan error has all in its message, so that the report adds nothing to it', () => {
  expect(errorReport(plan())).toBe(`SAGE_PLAN_ARGUMENT: ${plan().message}`);
});

test('an error of the core: what the message does not say of its context, and no number of a task', () => {
  const report = errorReport(new SageError('SAGE_FORMAT_JSON', 'line 3 is not JSON', { operator: 'bids', context: { file: 'a.jsonl', line: 3, byte: 17, task: 0 }, cause: 'EOF' }));

  expect(report.split('\n')).toEqual([
    'SAGE_FORMAT_JSON: line 3 is not JSON',
    '  operator: bids',
    '  context: file a.jsonl, byte 17',
    '  help: Mend the file at the line and byte that the message names.',
    '  see: sage-kernel/docs/errors/SAGE_FORMAT_JSON.md',
    '  cause: EOF',
  ]);
});

test('causes with causes, parts and fields of their own', () => {
  const parts = new AggregateError([new RangeError('one'), 'two'], 'several', { cause: plan() });
  const report = errorReport(new SageError('SAGE_USER_THREW', 'failed', { cause: Object.assign(parts, { code: 'E_MANY' }) }));

  expect(report).toMatch(/\n {2}cause: AggregateError: several\n/);
  expect(report).toContain("    { code: 'E_MANY' }");
  expect(report).toContain('    error: RangeError: one');
  expect(report).toContain("    error: two");
  expect(report).toMatch(/\n {4}cause: SAGE_PLAN_ARGUMENT: map was given 3\n {6}at \[eval\]:4:2\n/);
});

test('chains that never end are cut', () => {
  const own = new Error('snake');
  own.cause = own;

  expect(errorReport(new SageError('SAGE_USER_THREW', 'failed', { cause: own })).match(/snake/g)).toHaveLength(8);
});

test('colours change nothing but colours, and the message has none', () => {
  const error = new SageError('SAGE_USER_THREW', 'failed', { record: { a: 1 }, cause: new RangeError('x') });

  expect(errorReport(error, { colors: true })).toContain('\u001B[');
  expect(stripVTControlCharacters(errorReport(error, { colors: true }))).toBe(errorReport(error));
  expect(plan().message).not.toContain('\u001B');
});

test('console.log shows the report with the frames of the caller, in colours when the console has them', () => {
  const error = plan();
  const text = inspect(error);

  expect(text).toMatch(/^SageError SAGE_PLAN_ARGUMENT: map was given 3\n/);
  expect(/^ {4}at .*$/m.exec(text)![0]).toContain('error-report.test.ts');
  expect(stripVTControlCharacters(inspect(error, { colors: true }))).toBe(text);
  expect(inspect({ a: { b: error } }, { depth: 1 })).toBe('{ a: { b: [SageError: SAGE_PLAN_ARGUMENT] } }');
});

test('JSON.stringify has everything that a log wants', () => {
  const error = new SageError('SAGE_USER_THREW', 'failed', { operator: 'check', declaredAt: nowhere, record: { big: 5n }, cause: new RangeError('x', { cause: 'y' }) });

  expect(JSON.parse(JSON.stringify(error))).toMatchObject({
    name: 'SageError', code: 'SAGE_USER_THREW', message: 'failed', operator: 'check', declaredAt: nowhere, record: { big: '5' }, domain: 'user', retryable: false,
    help: error.help, helpUrl: error.helpUrl, stack: error.stack, cause: { name: 'RangeError', message: 'x', cause: 'y' },
  });
});

test('an error of an operator has the declaration as its stack, and gets it once', () => {
  const where = { operator: 'check', declaredAt: nowhere, record: 7 };
  const bare = new SageError('SAGE_CODEC_UNCLONEABLE', 'f is a function', { context: { task: 1 } });

  const placed = atOperator(bare, where);

  expect(placed).toMatchObject({ code: bare.code, message: "f is a function (operator 'check')", operator: 'check', declaredAt: nowhere, record: 7, context: { task: 1 } });
  expect(placed.stack).toBe(`SageError: ${placed.message}\n    at operator 'check' ([eval]:4:2)`);
  expect(atOperator(placed, { operator: 'other', declaredAt: { ...nowhere, line: 9 } })).toBe(placed);
  expect(inspect(placed)).not.toContain('\n    at operator');
  // One that knows its operator and not its place learns that; its own record stays.
  const half = new SageError('SAGE_PLAN_UNSUPPORTED', 'no ctx.state', { operator: 'check', record: undefined });
  expect(atOperator(half, where)).toMatchObject({ message: "no ctx.state (operator 'check')", declaredAt: nowhere, record: undefined });
});

test('errors of ours that are defects keep their stack: it is all that there is', () => {
  expect(operatorError('SAGE_INTERNAL', 'lost', { operator: 'x', declaredAt: nowhere }).stack).toContain('error-report.test.ts');
});
