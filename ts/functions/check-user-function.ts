import { counted } from '../common/counted.ts';
import { isSageError, planError } from '../common/errors.ts';
import type { SourceLocation } from '../common/source-location.ts';
import { BaseFunction } from './base-function.ts';
import { BaseCoMapFunction } from './base-co-map-function.ts';
import { BaseJoinFunction } from './base-join-function.ts';
import { BatchFunction } from './batch-function.ts';
import { isClass, mayHaveMethod, type FunctionClass } from './class-detection.ts';
import { FilterFunction } from './filter-function.ts';
import { FlatMapFunction } from './flat-map-function.ts';
import { KeyByFunction } from './key-by-function.ts';
import { BroadcastProcessFunction } from './broadcast-process-function.ts';
import { KeyedBroadcastProcessFunction } from './keyed-broadcast-process-function.ts';
import { KeyedCoProcessFunction } from './keyed-co-process-function.ts';
import { KeyedProcessFunction } from './keyed-process-function.ts';
import { LookupFunction } from './lookup-function.ts';
import { MapFunction } from './map-function.ts';
import { ProcessFunction } from './process-function.ts';
import { SinkFunction } from './sink-function.ts';
import { SourceFunction } from './source-function.ts';
import { classFunction, instanceFunction, lambdaFunction, type UserFunction } from './user-function.ts';

type AbstractFunctionClass = abstract new (...args: never[]) => BaseFunction;

/** The base classes, each for one place. */
const BASES: readonly AbstractFunctionClass[] = [
  MapFunction,
  FlatMapFunction,
  FilterFunction,
  ProcessFunction,
  BaseCoMapFunction,
  BaseJoinFunction,
  KeyedProcessFunction,
  KeyedCoProcessFunction,
  BroadcastProcessFunction,
  KeyedBroadcastProcessFunction,
  KeyByFunction,
  SinkFunction,
  SourceFunction,
  BatchFunction,
  LookupFunction,
];

const OWN_CLASSES: ReadonlySet<unknown> = new Set(BASES);

/** The place in a pipeline that a function is for. */
export interface FunctionPlace {
  /** The call, as the user wrote it: `map`. */
  readonly call: string;
  /** The base classes that fit here. */
  readonly bases: readonly AbstractFunctionClass[];
  readonly declaredAt: SourceLocation;
  /** Only what extends the base class can give results here: a function, or a class of its own, has no `collect`. */
  readonly needsBase?: boolean;
  /** What else than `execute` is called. */
  readonly otherMethod?: string;
}

/** What `value` is, in words for a message. */
export function describeValue(value: unknown): string {
  if (value === null) return 'null';
  if (isClass(value)) return `the class ${value.name || '(anonymous)'}`;
  if (typeof value === 'function') return value.name === '' ? 'a function' : `the function ${value.name}`;
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return describeObject(value);
  if (typeof value === 'string') return `the string ${JSON.stringify(value)}`;
  return value === undefined ? 'undefined' : `the ${typeof value} ${String(value)}`;
}

/** Names that are listed of a plain object. */
const MOST_NAMES = 3;

function describeObject(value: object): string {
  if (Object.getPrototypeOf(value) !== Object.prototype) return `an object (${value.constructor?.name ?? 'no class'})`;
  const names = Object.keys(value);
  if (names.length === 0) return 'an empty object';
  const more = names.length > MOST_NAMES ? ', ...' : '';
  return `an object with ${names.slice(0, MOST_NAMES).join(', ')}${more}`;
}

/**
 * Takes what a user gave to an operator - a function, a class with its constructor arguments, or an object - and checks
 * what can be checked before anything runs.
 *
 * @throws SageError SAGE_PLAN_FUNCTION, SAGE_PLAN_ARGUMENT or SAGE_PLAN_UNCLONEABLE, with the user's line.
 */
export function toUserFunction(value: unknown, args: readonly unknown[], place: FunctionPlace): UserFunction {
  if (isClass(value)) {
    checkBase(value.prototype, value.name, place);
    for (const method of methodsFor(place)) checkMethod(value, method, mayHaveMethod(value, method, OWN_CLASSES), place);
    checkArguments(value.name, args, place);
    return classFunction(value, args);
  }
  const base = place.bases[0]!.name;
  if (args.length > 0) {
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `${place.call} was given ${counted(args.length, 'more argument')} behind ${describeValue(value)}`,
      expected: 'further arguments behind a class only: they are those of its constructor',
      fix: `Write ${place.call}((record) => ...) and use the values inside, or give a class that extends ${base}.`,
      found: describeValue(value),
      declaredAt: place.declaredAt,
    });
  }
  if (typeof value === 'function') {
    if (place.needsBase === true) throw withoutBase(describeValue(value), place);
    return lambdaFunction(value as () => unknown);
  }
  if (typeof value === 'object' && value !== null && typeof (value as { execute?: unknown }).execute === 'function') {
    checkBase(value, value.constructor?.name ?? 'Object', place);
    for (const method of methodsFor(place)) checkMethod(value.constructor as FunctionClass, method, typeof (value as Readonly<Record<string, unknown>>)[method] === 'function', place);
    return instanceFunction(value);
  }
  throw planError('SAGE_PLAN_FUNCTION', {
    message: `${place.call} was given ${describeValue(value)}`,
    expected: `a function, a class that extends ${base}, or an object with execute()`,
    fix: `Write ${place.call}((record) => ...).`,
    found: describeValue(value),
    declaredAt: place.declaredAt,
  });
}

function checkBase(prototype: unknown, name: string, place: FunctionPlace): void {
  if (place.bases.some((base) => prototype instanceof base)) return;
  const other = prototype instanceof BaseFunction ? BASES.find((base) => prototype instanceof base) : undefined;
  if (other === undefined) {
    if (place.needsBase === true) throw withoutBase(name, place);
    return;
  }
  const wanted = place.bases.map((base) => base.name).join(' or ');
  throw planError('SAGE_PLAN_FUNCTION', {
    message: `${place.call} was given ${name}, which extends ${other.name}`,
    expected: `a class that extends ${wanted}`,
    found: `a class that extends ${other.name}`,
    fix: `Let ${name} extend ${place.bases[0]!.name}, or use it where a ${other.name} belongs.`,
    declaredAt: place.declaredAt,
  });
}

function withoutBase(what: string, { call, bases, declaredAt }: FunctionPlace): Error {
  const base = bases[0]!.name;
  return planError('SAGE_PLAN_FUNCTION', {
    message: `${call} was given ${what}, which has no collect() to give results with`,
    expected: `a class that extends ${base}, or an object of one`,
    found: what,
    fix: `Let it extend ${base}, or use flatMap, which takes the results that a function returns.`,
    declaredAt,
  });
}

function methodsFor({ otherMethod }: FunctionPlace): readonly string[] {
  return otherMethod === undefined ? ['execute'] : ['execute', otherMethod];
}

function checkMethod(ctor: FunctionClass, method: string, hasIt: boolean, place: FunctionPlace): void {
  if (hasIt) return;
  const name = ctor.name || 'the class';
  const isBase = BASES.some((base) => (base as unknown) === ctor);
  throw planError('SAGE_PLAN_FUNCTION', {
    message: `${place.call} was given ${name}, which has no ${method} method`,
    expected: `a class with the method ${method}`,
    found: isBase ? `the base class ${name}` : methodsOf(ctor),
    fix: isBase ? `Write a class that extends ${name} and has ${method}().` : `Add ${method}() to ${name}.`,
    declaredAt: place.declaredAt,
  });
}

/** The methods that a class has instead. */
function methodsOf(ctor: FunctionClass): string {
  const methods = Object.getOwnPropertyNames(ctor.prototype).filter((name) => name !== 'constructor');
  return methods.length === 0 ? 'a class without methods' : `a class with ${methods.slice(0, 5).join(', ')}`;
}

/** Constructor arguments reach a worker as copies; what cannot be copied is found here and not there. @throws SageError SAGE_PLAN_UNCLONEABLE */
export function checkArguments(name: string, args: readonly unknown[], place: Pick<FunctionPlace, 'declaredAt'>): void {
  args.forEach((argument, index) => {
    try {
      structuredClone(argument);
    } catch (cause) {
      if (isSageError(cause)) throw cause;
      throw planError('SAGE_PLAN_UNCLONEABLE', {
        message: `argument ${index + 1} of ${name} (${describeValue(argument)}) cannot be copied to a worker thread`,
        expected: 'constructor arguments that structuredClone can copy: plain data, Date, Map, Set, typed arrays',
        fix: 'Pass plain data and create connections and functions in open().',
        found: describeValue(argument),
        declaredAt: place.declaredAt,
        cause,
      });
    }
  });
}
