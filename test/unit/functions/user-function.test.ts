import { expect, test } from 'vitest';
import { UNKNOWN_LOCATION } from '../../../ts/common/source-location.ts';
import { toUserFunction } from '../../../ts/functions/check-user-function.ts';
import { FilterFunction } from '../../../ts/functions/filter-function.ts';
import { MapFunction } from '../../../ts/functions/map-function.ts';
import { classFunction, functionFingerprint, functionName, instanceFunction, isDeclaredAsync, lambdaFunction } from '../../../ts/functions/user-function.ts';

class Scale extends MapFunction<number, number> {
  readonly factor: number;
  constructor(factor: number, _options?: unknown) {
    super();
    this.factor = factor;
  }
  execute(n: number) {
    return n * this.factor;
  }
}
class Load extends MapFunction<number, number> {
  async execute(n: number) {
    return n;
  }
}
class Odd extends FilterFunction<number> {
  execute(n: number) {
    return n % 2;
  }
}

const place = { call: 'map', bases: [MapFunction], declaredAt: UNKNOWN_LOCATION };
const take = (value: unknown, ...args: unknown[]) => toUserFunction(value, args, place);

test('functions, classes with their arguments, and objects are told apart', () => {
  const double = (n: number) => n * 2;
  const scale = new Scale(3);
  expect(take(double)).toEqual({ form: 'lambda', fn: double, method: undefined });
  expect(take(Scale, 2)).toEqual({ form: 'class', ctor: Scale, args: [2], method: 'execute' });
  expect(take(scale)).toMatchObject({ form: 'instance', object: scale, method: 'execute' });
  expect(take(Number)).toMatchObject({ form: 'lambda', fn: Number });
});

test.each([
  ['no function', [3], 'SAGE_PLAN_FUNCTION', /the number 3/],
  ['null', [null], 'SAGE_PLAN_FUNCTION', /null/],
  ['an object without execute', [{ run() {} }], 'SAGE_PLAN_FUNCTION', /an object/],
  ['a base class', [MapFunction], 'SAGE_PLAN_FUNCTION', /MapFunction, which has no execute/],
  ['a class of another operator', [Odd], 'SAGE_PLAN_FUNCTION', /Odd, which extends FilterFunction/],
  ['an object of another operator', [new Odd()], 'SAGE_PLAN_FUNCTION', /Odd, which extends FilterFunction/],
  ['arguments behind a function', [(n: number) => n, 1, 2], 'SAGE_PLAN_ARGUMENT', /2 more arguments/],
  ['an argument that cannot be cloned', [Scale, 1, { fetch: () => 1 }], 'SAGE_PLAN_UNCLONEABLE', /argument 2 of Scale/],
] as const)('%s is refused', (_what, [value, ...args], code, message) => {
  expect(() => take(value, ...args)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
});

test('the fingerprint depends on form, source, name and arguments, and on nothing else', () => {
  const print = functionFingerprint;
  const make = () => (n: number) => n + 1;
  expect(print(lambdaFunction(make()))).toBe(print(lambdaFunction(make())));
  expect(print(lambdaFunction((n: number) => n + 1))).not.toBe(print(lambdaFunction((n: number) => n + 2)));
  expect(print(classFunction(Scale, [2]))).toBe(print(classFunction(Scale, [2])));
  expect(print(classFunction(Scale, [2]))).not.toBe(print(classFunction(Scale, [3])));
  expect(print(classFunction(Scale, [{ a: 1, b: 2 }]))).toBe(print(classFunction(Scale, [{ b: 2, a: 1 }])));
  expect(print(classFunction(Scale, [[1, [2, [3, [4]]]]]))).not.toBe(print(classFunction(Scale, [[1, [2, [3, [5]]]]])));
  expect(print(instanceFunction(new Scale(2)))).not.toBe(print(instanceFunction(new Scale(3))));
  expect(print(instanceFunction(new Scale(2)))).not.toBe(print(classFunction(Scale, [2])));
});

test('a name for people, and the async hint', () => {
  expect(functionName(lambdaFunction(function double() {}))).toBe('double');
  expect(functionName(lambdaFunction((() => () => 1)()))).toBe('anonymous');
  expect(functionName(classFunction(Scale, [1]))).toBe('Scale');
  expect(functionName(instanceFunction(new Scale(1)))).toBe('Scale');
  expect([lambdaFunction(async () => 1), classFunction(Load), instanceFunction(new Load())].map(isDeclaredAsync)).toEqual([true, true, true]);
  expect([lambdaFunction(() => 1), classFunction(Scale), lambdaFunction(async function* () {})].map(isDeclaredAsync)).toEqual([false, false, false]);
});
