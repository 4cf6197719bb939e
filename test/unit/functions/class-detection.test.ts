import { expect, test } from 'vitest';
import { hasPrivateMembers, isClass, mayHaveMethod } from '../../../ts/functions/class-detection.ts';
import { MapFunction } from '../../../ts/functions/map-function.ts';

/** What a compiler to ES5 makes of `class Es5 extends MapFunction { execute(n) { return n * 2; } }`. */
function es5Class(): unknown {
  function Es5(this: object): object {
    return Reflect.construct(MapFunction, [], new.target ?? Es5) as object;
  }
  Es5.prototype = Object.create(MapFunction.prototype, { constructor: { value: Es5 } });
  Es5.prototype.execute = (n: number) => n * 2;
  return Es5;
}

/** The same without our base class. */
function es5DuckClass(): unknown {
  function Duck(this: object): void {}
  Duck.prototype.execute = (n: number) => n;
  return Duck;
}

const classes: readonly (readonly [string, unknown])[] = [
  ['a class that extends a base', class extends MapFunction<number, number> { execute(n: number) { return n; } }],
  ['a class without a base', class { execute(n: number) { return n; } }],
  ['an anonymous class on one line', class{execute(){}}],
  ['a class whose execute is a field', class { execute = (n: number) => n; }],
  ['a frozen class', Object.freeze(class Frozen { execute() {} })],
  ['a base class itself', MapFunction],
  ['a class compiled to ES5', es5Class()],
  ['an ES5 class without our base', es5DuckClass()],
];

const methods = { class(x: number) { return x; }, klass(x: number) { return x; } };

const functions: readonly (readonly [string, unknown])[] = [
  ['an arrow function', (n: number) => n],
  ['an async arrow function', async (n: number) => n],
  ['a function expression', function double(n: number) { return n * 2; }],
  ['a frozen function', Object.freeze(function (n: number) { return n; })],
  ['a function called classify', function classify(n: number) { return n; }],
  ['a generator function', function* () { yield 1; }],
  ['an async generator function', async function* () { yield 1; }],
  ['a method called class', methods.class],
  ['a method', methods.klass],
  ['a bound function', Math.max.bind(null, 3)],
  ['Number', Number],
  ['String', String],
  ['Boolean', Boolean],
  ['JSON.parse', JSON.parse],
];

test.each(classes)('%s is a class', (_what, value) => {
  expect(isClass(value)).toBe(true);
});

test.each(functions)('%s is a function', (_what, value) => {
  expect(isClass(value)).toBe(false);
});

test.each([null, undefined, 1, 'class A {}', {}, []])('%s is no class', (value) => {
  expect(isClass(value)).toBe(false);
});

test('a base class has no execute; methods, inherited methods and fields are found', () => {
  class Parent extends MapFunction<number, number> { execute(n: number) { return n; } }
  class Child extends Parent {}
  class Field extends MapFunction<number, number> { execute = (n: number) => n; }
  class FieldChild extends Field {}
  class Nothing extends (MapFunction as unknown as new () => object) {}
  const has = (Class: unknown): boolean => mayHaveMethod(Class as never, 'execute', new Set([MapFunction]));
  expect(has(MapFunction)).toBe(false);
  expect(has(Nothing)).toBe(false);
  for (const Class of [Parent, Child, Field, FieldChild]) expect(has(Class)).toBe(true);
});

test('private members are seen in the class and in its parents', () => {
  class Open { value = '# not private'; }
  class Private { #n = 1; get n() { return this.#n; } }
  class Child extends Private {}
  expect(hasPrivateMembers(new Private())).toBe(true);
  expect(hasPrivateMembers(new Child())).toBe(true);
  expect(hasPrivateMembers(new Open())).toBe(false);
  expect(hasPrivateMembers({})).toBe(false);
});
