import type { StageNode } from '../compiler/physical-plan.ts';

type Callable = (...args: unknown[]) => unknown;

/** Methods of function classes that take a record. */
const TAKES_RECORD = /^(execute|execute\d+|executeBroadcast|map\d+)$/;

/**
 * A function or an object that does what the user's does, and calls `before` with the arguments in front of each record. The
 * user's object stays as it is.
 */
export function instrumentedFunction<F extends object>(fn: F, before: (args: unknown[]) => void): F {
  const guarded = (call: Callable, self: unknown): Callable => (...args) => {
    before(args);
    return Reflect.apply(call, self, args);
  };
  if (typeof fn === 'function') return guarded(fn as unknown as Callable, undefined) as unknown as F;
  const methods = new Map<PropertyKey, Callable>();
  const methodOf = (name: PropertyKey, method: Callable): Callable => {
    let known = methods.get(name);
    if (known === undefined) {
      // Bound to the user's object: a proxy has no #private fields.
      known = typeof name === 'string' && TAKES_RECORD.test(name) ? guarded(method, fn) : (method.bind(fn) as Callable);
      methods.set(name, known);
    }
    return known;
  };
  // Over an empty object, as a frozen one must show itself as it is.
  return new Proxy(Object.create(Object.getPrototypeOf(fn) as object) as F, {
    has: (_, name) => Reflect.has(fn, name),
    get: (_, name) => {
      const value: unknown = Reflect.get(fn, name, fn);
      return typeof value === 'function' && name !== 'constructor' ? methodOf(name, value as Callable) : value;
    },
    set: (_, name, value) => Reflect.set(fn, name, value, fn),
  });
}

/** Which argument of a function is the record. */
export function recordOf({ op }: StageNode, args: readonly unknown[]): unknown {
  const isReduce = op.kind === 'reduce' || (op.kind === 'window' && op.result.kind === 'reduce');
  return args[isReduce ? 1 : 0];
}
