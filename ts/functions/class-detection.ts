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
 * Whether objects of the class can have a method: it is in the prototype chain, or the class's source has the word, as a field holds
 * it only in objects.
 *
 * @param bases our own classes: their sources may have the word without having the method
 */
export function mayHaveMethod(ctor: FunctionClass, method: string, bases: ReadonlySet<unknown>): boolean {
  if (typeof (ctor.prototype as Readonly<Record<string, unknown>> | undefined)?.[method] === 'function') return true;
  const word = new RegExp(`\\b${method}\\b`);
  for (let c: unknown = ctor; typeof c === 'function' && c !== Function.prototype; c = Object.getPrototypeOf(c)) {
    if (c === BaseFunction || bases.has(c)) break;
    if (word.test(Function.prototype.toString.call(c))) return true;
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
