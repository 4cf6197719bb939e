import { atOperator, operatorError, SageError } from '../common/errors.ts';
import type { SourceLocation } from '../common/source-location.ts';
import { BaseFunction } from './base-function.ts';
import { hasPrivateMembers } from './class-detection.ts';
import type { FunctionContext } from './function-context.ts';
import { type ExecutableObject, functionName, type InstanceUserFunction, type UserCallable, type UserFunction, type UserMethod } from './user-function.ts';

/** A user's function in one parallel instance: what generated code calls, and its life cycle. */
export interface FunctionInstance {
  /** Set for lambdas. */
  readonly fn: UserCallable | undefined;
  /** Set for classes and objects: `object.execute(record)`. */
  readonly object: ExecutableObject | undefined;
  /** Before the first record. @throws SageError SAGE_USER_LIFECYCLE, or rejects with it. */
  open(): void | Promise<void>;
  /** After the last record; a second call does nothing. @throws SageError SAGE_USER_LIFECYCLE, or rejects with it. */
  close(): void | Promise<void>;
  /** Nothing more is asked of it: another operator or job may have the object. */
  release(): void;
}

/** Objects of users that serve somebody: each has one context, and one place where its results go. */
const serving = new WeakSet<object>();

/**
 * Makes one parallel instance of a user's function: a new object of a class; the object itself for instance 0 of an
 * object and a copy of what it was when the pipeline was built for the others, and for other operators and jobs that need
 * it at the same time; the same function for a lambda.
 *
 * @throws SageError SAGE_USER_LIFECYCLE when the constructor throws; SAGE_PLAN_FUNCTION when there is no `execute`, or an
 * object that cannot be copied would have to be shared.
 *
 * @param isAgain whether the job has failed before: what an object holds is of the attempt that failed, if it can be made anew
 */
export function instantiateUserFunction(fn: UserFunction, ctx: FunctionContext, declaredAt?: SourceLocation, isAgain = false): FunctionInstance {
  if (fn.form === 'lambda') return { fn: fn.fn, object: undefined, open: noop, close: noop, release: noop };
  const name = functionName(fn);
  const where: Whereabouts = { operator: ctx.operator, declaredAt };
  const object = fn.form === 'class' ? construct(fn, name, where) : ctx.parallelIndex === 0 && !serving.has(fn.object) && !(isAgain && !hasPrivateMembers(fn.object)) ? fn.object : copy(fn, name, ctx, where);
  if (typeof (object as unknown as Record<UserMethod, unknown>)[fn.method] !== 'function') {
    throw operatorError('SAGE_PLAN_FUNCTION', `${name} has no ${fn.method} method`, where);
  }
  if (object instanceof BaseFunction) {
    BaseFunction.attach(object, ctx);
    serving.add(object);
  }
  let open = false;
  return {
    fn: undefined,
    object,
    open() {
      open = true;
      return guarded(name, 'open', where, () => object.open?.(ctx));
    },
    close() {
      if (!open) return undefined;
      open = false;
      return guarded(name, 'close', where, () => object.close?.());
    },
    release() {
      serving.delete(object);
    },
  };
}

/** Where an error of a function belongs. */
interface Whereabouts {
  readonly operator: string;
  readonly declaredAt: SourceLocation | undefined;
}

function noop(): void {}

function construct(fn: UserFunction & { form: 'class' }, name: string, where: Whereabouts): ExecutableObject {
  try {
    return new (fn.ctor as unknown as new (...args: readonly unknown[]) => ExecutableObject)(...fn.args);
  } catch (error) {
    throw lifecycleError(name, 'constructor', where, error);
  }
}

function copy(fn: InstanceUserFunction, name: string, ctx: FunctionContext, where: Whereabouts): ExecutableObject {
  if (hasPrivateMembers(fn.object)) {
    const whom = ctx.parallelIndex === 0 ? 'several operators or jobs at the same time' : `${ctx.parallelism} parallel instances`;
    throw operatorError(
      'SAGE_PLAN_FUNCTION',
      `one object of ${name} cannot serve ${whom}: it has #private members, so that it cannot be copied`,
      { ...where, help: `Give the class and its constructor arguments: (${name}, ...args).` },
    );
  }
  return Object.create(Object.getPrototypeOf(fn.object) as object, fn.fields) as ExecutableObject;
}

function guarded(name: string, step: 'open' | 'close', where: Whereabouts, call: () => unknown): void | Promise<void> {
  let result: unknown;
  try {
    result = call();
  } catch (error) {
    throw lifecycleError(name, step, where, error);
  }
  if (!isThenable(result)) return undefined;
  return Promise.resolve(result).then(noop, (error: unknown) => {
    throw lifecycleError(name, step, where, error);
  });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

function lifecycleError(name: string, step: string, where: Whereabouts, cause: unknown): SageError {
  if (cause instanceof SageError) return atOperator(cause, where);
  const reason = cause instanceof Error ? cause.message : String(cause);
  return operatorError('SAGE_USER_LIFECYCLE', `${name} failed in ${step}: ${reason}`, { ...where, cause });
}
