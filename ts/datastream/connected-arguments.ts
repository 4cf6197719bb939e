import { planError } from '../common/errors.ts';
import type { SourceLocation } from '../common/source-location.ts';
import { BaseCoMapFunction } from '../functions/base-co-map-function.ts';
import { describeValue, toUserFunction } from '../functions/check-user-function.ts';
import { isClass } from '../functions/class-detection.ts';
import { lambdaFunction } from '../functions/user-function.ts';
import type { CoMapHandlers } from '../transformations/co-map-transformation.ts';

const HANDLER = /^map(0|[1-9]\d*)$/;

/** What `connect` was given beside its own stream. @throws SageError SAGE_PLAN_ARGUMENT when that is nothing. */
export function checkConnected(others: readonly unknown[], declaredAt: SourceLocation): readonly unknown[] {
  if (others.length > 0) return others;
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: 'connect was given no stream',
    expected: 'one stream or more',
    found: 'no argument',
    fix: 'Write first.connect(second).',
    declaredAt,
  });
}

/**
 * What `comap` was given, for so many inputs.
 *
 * @throws SageError SAGE_PLAN_FUNCTION for what has no handlers, SAGE_PLAN_HANDLERS where there are too few or too many.
 */
export function toCoMapHandlers(value: unknown, args: readonly unknown[], inputs: number, declaredAt: SourceLocation): CoMapHandlers {
  if (Array.isArray(value)) return { form: 'functions', fns: checkFunctions(value, args, inputs, declaredAt).map((fn) => lambdaFunction(fn)) };
  const methods: unknown = isClass(value) ? value.prototype : value;
  if (!(methods instanceof BaseCoMapFunction)) {
    throw planError('SAGE_PLAN_FUNCTION', {
      message: `comap was given ${describeValue(value)}`,
      expected: 'a class that extends BaseCoMapFunction, an object of one, or an array with a function for each stream',
      fix: typeof value === 'function' && !isClass(value) ? 'Write comap([fn, fn]), or map(fn) for one function for all streams.' : 'Let the class extend BaseCoMapFunction, with map0, map1 ... for the streams.',
      found: describeValue(value),
      declaredAt,
    });
  }
  const fn = toUserFunction(value, args, { call: 'comap', bases: [BaseCoMapFunction], needsBase: true, declaredAt });
  checkMethods(value, methods, inputs, declaredAt);
  return { form: 'methods', fn };
}

function checkFunctions(list: readonly unknown[], args: readonly unknown[], inputs: number, declaredAt: SourceLocation): readonly ((record: never) => unknown)[] {
  const wrong = list.findIndex((fn) => typeof fn !== 'function' || isClass(fn));
  if (wrong >= 0) {
    throw planError('SAGE_PLAN_FUNCTION', {
      message: `the function number ${wrong} of comap is ${describeValue(list[wrong])}`,
      expected: 'an array with a function for each stream',
      fix: 'Write comap([(a) => ..., (b) => ...]), or one class for all: comap(Class).',
      found: describeValue(list[wrong]),
      declaredAt,
    });
  }
  if (args.length > 0) {
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `comap was given ${args.length} more argument${args.length === 1 ? '' : 's'} behind its functions`,
      expected: 'further arguments behind a class only: they are those of its constructor',
      fix: 'Put the functions of all streams into one array.',
      declaredAt,
    });
  }
  checkCount('comap', 'function', list.length, inputs, declaredAt);
  return list as readonly ((record: never) => unknown)[];
}

/** @throws SageError SAGE_PLAN_HANDLERS unless there are as many as streams. */
export function checkCount(call: string, what: string, count: number, inputs: number, declaredAt: SourceLocation): void {
  if (count === inputs) return;
  throw planError('SAGE_PLAN_HANDLERS', {
    message: `${call} was given ${count} ${what}${count === 1 ? '' : 's'} for ${inputs} streams`,
    expected: `${inputs} ${what}s, in the order of the streams in connect`,
    found: `${count}`,
    fix: count < inputs ? `Add the ${what} of stream ${count}.` : `Remove what is more than ${inputs}, or connect the stream that is missing.`,
    declaredAt,
  });
}

/** Handlers are methods, or fields of which only the source of the class tells before there is an object. */
function checkMethods(value: unknown, methods: object, inputs: number, declaredAt: SourceLocation): void {
  const found = new Set<number>();
  const sources: string[] = [];
  for (let level: object = methods; level !== BaseCoMapFunction.prototype; level = Object.getPrototypeOf(level) as object) {
    for (const name of Object.getOwnPropertyNames(level)) {
      const match = HANDLER.exec(name);
      if (match !== null) found.add(Number(match[1]));
    }
    if (Object.hasOwn(level, 'constructor')) sources.push(Function.prototype.toString.call(level.constructor));
  }
  for (let input = 0; input < inputs; input++) if (sources.some((source) => new RegExp(`\\bmap${input}\\b`).test(source))) found.add(input);
  const name = isClass(value) ? value.name || 'the class' : (value as object).constructor.name;
  const missing = Array.from({ length: inputs }, (_, input) => input).find((input) => !found.has(input));
  const surplus = [...found].find((input) => input >= inputs);
  if (missing === undefined && surplus === undefined) return;
  const has = found.size === 0 ? 'no handler' : [...found].toSorted((a, b) => a - b).map((input) => `map${input}`).join(', ');
  throw planError('SAGE_PLAN_HANDLERS', {
    message: missing === undefined ? `comap was given ${name}, whose map${surplus} no stream belongs to` : `comap was given ${name}, which has no map${missing} for the stream number ${missing}`,
    expected: `map0 to map${inputs - 1}: one for each of the ${inputs} connected streams`,
    found: has,
    fix: missing === undefined ? `Remove map${surplus}, or connect the stream that it is for.` : `Add map${missing}(record) to ${name}.`,
    declaredAt,
  });
}
