import { BaseFunction } from './base-function.ts';

/** A class with an `execute` method, or something that only may turn out to have one. */
export type FunctionClass = new (...args: never[]) => { execute(...args: never[]): unknown };

const CLASS_SOURCE = /^class\b/;

/**
 * Whether a function is a class. Told apart by what it is, not by its name:
 *
 * - class syntax: the source begins with `class`, and `prototype` cannot be written (a method that is called `class` has
 *   no `prototype`);
 * - a class compiled to ES5: a constructor function whose prototype extends {@link BaseFunction} or has `execute`.
 *
 * `Number`, `String`, `Boolean` and other native constructors are functions here: `map(Number)` calls.
 */
export function isClass(value: unknown): value is FunctionClass {
  if (typeof value !== 'function') return false;
  const prototype = Object.getOwnPropertyDescriptor(value, 'prototype');
  if (prototype === undefined) return false; // arrows, methods, async and bound functions
  if (!prototype.writable && CLASS_SOURCE.test(Function.prototype.toString.call(value))) return true;
  const methods = prototype.value as unknown;
  return (
    methods instanceof BaseFunction ||
    (typeof methods === 'object' && methods !== null && typeof (methods as { execute?: unknown }).execute === 'function')
  );
}

/**
 * Whether objects of the class can have `execute`: a method in the prototype chain, or the word in the class's source,
 * as a field holds it only in objects.
 */
export function mayHaveExecute(ctor: FunctionClass): boolean {
  if (typeof (ctor.prototype as { execute?: unknown } | undefined)?.execute === 'function') return true;
  for (let c: unknown = ctor; typeof c === 'function' && c !== Function.prototype; c = Object.getPrototypeOf(c)) {
    if (c === BaseFunction || Object.getPrototypeOf(c) === BaseFunction) break; // our own classes name it in no source
    if (/\bexecute\b/.test(Function.prototype.toString.call(c))) return true;
  }
  return false;
}

/** Whether a class, or one it extends, has `#private` members: objects of it cannot be copied from outside. */
export function hasPrivateMembers(object: object): boolean {
  for (let p: unknown = Object.getPrototypeOf(object); p !== null && p !== Object.prototype; p = Object.getPrototypeOf(p)) {
    const ctor = (p as { constructor?: unknown }).constructor;
    if (ctor === BaseFunction) return false;
    if (typeof ctor === 'function' && /#[\p{ID_Start}$_]/u.test(Function.prototype.toString.call(ctor))) return true;
  }
  return false;
}
