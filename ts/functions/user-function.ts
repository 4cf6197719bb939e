import { createHash } from 'node:crypto';
import { inspect, types } from 'node:util';
import type { FunctionClass } from './class-detection.ts';

/** A function as generated code calls it. */
export type UserCallable = (...args: unknown[]) => unknown;

/** The method that makes a class or an object fit its place. */
export type UserMethod = 'execute' | 'onElement';

/** An object that generated code calls `execute` of, or one with another method. */
export interface ExecutableObject {
  execute(...args: unknown[]): unknown;
  open?(ctx: unknown): unknown;
  close?(): unknown;
}

/** A plain function. */
export interface LambdaUserFunction {
  readonly form: 'lambda';
  readonly fn: UserCallable;
  readonly method: undefined;
}

/** A class, instantiated once for each parallel instance. */
export interface ClassUserFunction {
  readonly form: 'class';
  readonly ctor: FunctionClass;
  readonly args: readonly unknown[];
  readonly method: UserMethod;
}

/** An object that the user made. */
export interface InstanceUserFunction {
  readonly form: 'instance';
  readonly object: ExecutableObject;
  /** Its own fields when the pipeline was built: what further parallel instances begin with. */
  readonly fields: Readonly<Record<PropertyKey, PropertyDescriptor>>;
  readonly method: UserMethod;
}

/** Code of the user as a transformation holds it. */
export type UserFunction = LambdaUserFunction | ClassUserFunction | InstanceUserFunction;

/** A lambda of the user, or of ours. */
export function lambdaFunction(fn: (...args: never[]) => unknown): LambdaUserFunction {
  return { form: 'lambda', fn: fn as UserCallable, method: undefined };
}

/** A class with its constructor arguments. */
export function classFunction(ctor: FunctionClass, args: readonly unknown[] = [], method: UserMethod = 'execute'): ClassUserFunction {
  return { form: 'class', ctor, args, method };
}

/** An object with `execute`, or with another method. */
export function instanceFunction(object: object, method: UserMethod = 'execute'): InstanceUserFunction {
  return {
    form: 'instance',
    object: object as ExecutableObject,
    fields: Object.getOwnPropertyDescriptors(object),
    method,
  };
}

/** Whether it can ask for `ctx`, and so for the key and the event time of its record: lambdas cannot. */
export function hasContext(fn: UserFunction): boolean {
  return fn.form !== 'lambda';
}

/** What a person would call it: the name of the function or class. */
export function functionName(fn: UserFunction): string {
  if (fn.form === 'lambda') return fn.fn.name || 'anonymous';
  return (fn.form === 'class' ? fn.ctor.name : (fn.object.constructor?.name ?? 'Object')) || 'anonymous class';
}

/** The code that will run: what decides whether two isolates built the same pipeline. */
export function functionSource(fn: UserFunction): string {
  if (fn.form === 'lambda') return Function.prototype.toString.call(fn.fn);
  if (fn.form === 'class') return Function.prototype.toString.call(fn.ctor);
  return `${Function.prototype.toString.call(fn.object.constructor)}\n${Function.prototype.toString.call((fn.object as unknown as Record<UserMethod, unknown>)[fn.method])}`;
}

/**
 * Whether the source says `async`. A function without the word may still return promises, so that this is a hint for
 * code generation and nothing more.
 */
export function isDeclaredAsync(fn: UserFunction): boolean {
  const callable =
    fn.form === 'lambda'
      ? fn.fn
      : fn.form === 'class'
        ? (fn.ctor.prototype as { execute?: unknown }).execute
        : fn.object.execute;
  return types.isAsyncFunction(callable) && !types.isGeneratorFunction(callable);
}

/**
 * A short text that is equal in two isolates when form, name, source and arguments are: `lambda double 3f2a…`. Captured
 * variables are not part of it.
 */
export function functionFingerprint(fn: UserFunction): string {
  const data: unknown = fn.form === 'class' ? fn.args : fn.form === 'instance' ? fn.fields : undefined;
  const hash = createHash('sha256')
    .update(functionSource(fn))
    .update('\0')
    .update(inspect(data, { depth: Infinity, maxArrayLength: Infinity, maxStringLength: Infinity, sorted: true }));
  return `${fn.form} ${functionName(fn)} ${hash.digest('hex').slice(0, 16)}`;
}
