import { expect, test } from 'vitest';
import { isSageError, planError, SageError, toSageError } from '../../../ts/common/errors.ts';

test('a code brings domain, retry hint and help from the table', () => {
  const error = new SageError('SAGE_IO_DISK_FULL', 'no space');
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({ name: 'SageError', code: 'SAGE_IO_DISK_FULL', domain: 'external', retryable: true });
  expect(error.help).not.toBe('');
});

test('isSageError tells ours from others, and one code from another', () => {
  const error = new SageError('SAGE_PLAN_SINK', 'x');
  expect(isSageError(error)).toBe(true);
  expect(isSageError(error, 'SAGE_PLAN_SINK')).toBe(true);
  expect(isSageError(error, 'SAGE_PLAN_SOURCE')).toBe(false);
  expect(isSageError(new Error('x'))).toBe(false);
  expect(isSageError(undefined)).toBe(false);
});

test('an error of the core keeps code, message, context and cause', () => {
  const native = new Error(
    JSON.stringify({ code: 'SAGE_FORMAT_JSON', message: 'bad line', context: { file: 'a.jsonl', line: 3 }, cause: 'EOF' }),
  );
  const error = toSageError(native, { operator: 'source' });
  expect(error).toMatchObject({ code: 'SAGE_FORMAT_JSON', message: 'bad line', operator: 'source', cause: 'EOF' });
  expect(error.context).toEqual({ file: 'a.jsonl', line: 3 });
});

test('what is not from the core becomes an internal error with its cause; ours stays itself', () => {
  const cause = new Error('{"code":"SAGE_NO_SUCH_CODE","message":"x"}');
  expect(toSageError(cause)).toMatchObject({ code: 'SAGE_INTERNAL', domain: 'internal', cause });
  expect(toSageError(new Error('{broken'))).toMatchObject({ code: 'SAGE_INTERNAL' });
  expect(toSageError('text')).toMatchObject({ code: 'SAGE_INTERNAL', message: 'text' });
  const ours = new SageError('SAGE_PLAN_SINK', 'x');
  expect(toSageError(ours)).toBe(ours);
});

test('a plan error shows what, where, what was expected, and one fix', () => {
  const error = planError('SAGE_PLAN_ARGUMENT', {
    message: 'map was given 3',
    expected: 'a function',
    found: 'the number 3',
    fix: 'Write map((x) => ...).',
    declaredAt: { file: '[eval]', line: 4, column: 2 },
  });
  expect(error.message).toBe(
    'map was given 3\n  at [eval]:4:2\n  expected: a function\n  found: the number 3\n  fix: Write map((x) => ...).\n  see: sage-kernel/docs/errors/SAGE_PLAN_ARGUMENT.md',
  );
  expect(error.help).toBe('Write map((x) => ...).');
});
