import { inspect } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SageError } from '../../../ts/common/errors.ts';
import { deserializeError, serializeError } from '../../../ts/runtime/worker/serialize-error.ts';

/** An error on its way from one thread to another. */
function crossed(error: SageError): SageError {
  return deserializeError(structuredClone(serializeError(error)));
}

/** An error of user code as the cause of ours, behind the crossing. */
function causeOf(cause: unknown): unknown {
  return crossed(new SageError('SAGE_USER_THREW', 'failed', { cause })).cause;
}

class PaymentError extends Error {
  readonly status = 402;
  readonly details = { amount: 5, when: new Date(0) };
}

test('all fields of ours arrive, and the stack', () => {
  const declaredAt = { file: 'pipeline.ts', line: 3, column: 7 };
  const error = new SageError('SAGE_IO_READ', 'cannot read', {
    operator: 'bids',
    declaredAt,
    related: [{ what: 'the other', declaredAt }],
    record: { id: 1, at: new Date(5) },
    context: { file: 'a.jsonl', line: 3 },
    domain: 'user',
    retryable: false,
    help: 'Mend it.',
  });

  const arrived = crossed(error);

  expect(arrived).toBeInstanceOf(SageError);
  expect(arrived.toJSON()).toEqual(error.toJSON());
  expect({ ...arrived }).toEqual({ ...error });
  expect(arrived.stack).toBe(error.stack);
});

test('undefined is a record, and none is none', () => {
  expect('record' in crossed(new SageError('SAGE_USER_THREW', 'x', { record: undefined }))).toBe(true);
  expect('record' in crossed(new SageError('SAGE_USER_THREW', 'x'))).toBe(false);
});

test.each([RangeError, TypeError, SyntaxError, ReferenceError, EvalError, URIError, Error])('%o is an instance of its class again', (type) => {
  const cause = causeOf(new type('wrong'));

  expect(cause).toBeInstanceOf(type);
  expect(cause).toMatchObject({ name: type.name, message: 'wrong' });
});

test('an error of a class of the user has its name, message, stack and own fields', () => {
  const error = new PaymentError('no money', { cause: 'a thin purse' });

  const cause = causeOf(error) as PaymentError;

  expect(cause).toBeInstanceOf(Error);
  expect(cause).toMatchObject({ name: 'PaymentError', message: 'no money', status: 402, details: { amount: 5, when: new Date(0) }, cause: 'a thin purse' });
  expect(cause.constructor.name).toBe('PaymentError');
  expect(cause.stack).toBe(error.stack);
  expect(inspect(cause)).toContain('status: 402');
  // Only what was enumerable is.
  expect(Object.keys(cause)).toEqual(Object.keys(error));
});

test('an AggregateError brings its errors, each with its own causes', () => {
  const parts = [new RangeError('one'), new PaymentError('two', { cause: new TypeError('three') }), 'four'];

  const cause = causeOf(new AggregateError(parts, 'several')) as AggregateError;

  expect(cause).toBeInstanceOf(AggregateError);
  expect(cause.message).toBe('several');
  expect(cause.errors).toHaveLength(3);
  expect(cause.errors[0]).toBeInstanceOf(RangeError);
  expect(cause.errors[1]).toMatchObject({ name: 'PaymentError', status: 402, cause: { name: 'TypeError', message: 'three' } });
  expect(cause.errors[2]).toBe('four');
});

test('one of ours in the middle of a chain stays one of ours', () => {
  const cause = causeOf(new Error('outer', { cause: new SageError('SAGE_JOB_FAILED', 'inner', { cause: new RangeError('innermost') }) })) as Error;

  expect(cause.cause).toBeInstanceOf(SageError);
  expect(cause.cause).toMatchObject({ code: 'SAGE_JOB_FAILED', cause: { name: 'RangeError' } });
});

test('endless chains end: of causes, of ours, and of errors in errors', () => {
  const own: { cause?: unknown } & Error = new Error('snake');
  own.cause = own;
  const ours = new SageError('SAGE_INTERNAL', 'snake');
  Object.defineProperty(ours, 'cause', { value: ours });
  const several = new AggregateError([], 'snakes');
  several.errors.push(several, several);

  for (const error of [own, ours, several]) expect(causeOf(error)).toMatchObject({ message: error.message });
});

test('what cannot be cloned becomes plain: functions, and getters that throw', () => {
  const error = Object.defineProperty(Object.assign(new Error('odd'), { callback: () => 1, nested: { f: () => 2, n: 3 } }), 'trap', {
    enumerable: true,
    get() {
      throw new Error('no');
    },
  });

  expect(causeOf(error)).toMatchObject({ callback: '[function callback]', nested: { f: '[function f]', n: 3 }, trap: '[not readable]' });
});

test('whatever is thrown and whatever the record, an error arrives', () => {
  const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true, withSparseArray: true, withNullPrototype: true });
  fc.assert(
    fc.property(anything, anything, fc.dictionary(fc.string(), anything), (record, thrown, fields) => {
      const cause = Object.assign(new Error('x'), { fields }, { cause: thrown });
      const error = new SageError('SAGE_USER_THREW', 'failed', { record, cause });

      const arrived = crossed(error);

      // What can be cloned is as structured clone has it: Node's own is the oracle.
      expect(arrived.record).toEqual(structuredClone(record));
      expect((arrived.cause as { fields: unknown }).fields).toEqual(structuredClone(fields));
      expect((arrived.cause as Error).cause).toEqual(thrown === undefined ? undefined : structuredClone(thrown));
    }),
  );
});
