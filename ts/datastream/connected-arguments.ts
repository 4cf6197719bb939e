import { counted } from '../common/counted.ts';
import { planError } from '../common/errors.ts';
import type { SourceLocation } from '../common/source-location.ts';
import { BaseCoMapFunction } from '../functions/base-co-map-function.ts';
import { describeValue, toUserFunction } from '../functions/check-user-function.ts';
import { isClass } from '../functions/class-detection.ts';
import { KeyedCoProcessFunction } from '../functions/keyed-co-process-function.ts';
import { type UserFunction, lambdaFunction } from '../functions/user-function.ts';
import type { BaseTransformation } from '../transformations/base-transformation.ts';
import type { CoMapHandlers } from '../transformations/co-map-transformation.ts';
import type { BroadcastStream } from './broadcast-stream.ts';
import type { DataStream } from './data-stream.ts';
import { checkKeyedState } from './plan-checks.ts';
import { streamKinds } from './stream-kinds.ts';
import { checkStreams } from './union-inputs.ts';

/** A class with a handler for each stream: how it is called, and what the handlers are. */
interface HandlerClass {
  readonly call: string;
  readonly base: typeof BaseCoMapFunction | typeof KeyedCoProcessFunction;
  /** Stands before the number of the stream in the name of its handler. */
  readonly prefix: string;
}

const CO_MAP: HandlerClass = { call: 'comap', base: BaseCoMapFunction, prefix: 'map' };
const CO_PROCESS: HandlerClass = { call: 'process', base: KeyedCoProcessFunction, prefix: 'execute' };

/** What `connect` was given beside its own stream. @throws SageError SAGE_PLAN_ARGUMENT when that is nothing. */
function checkConnected(others: readonly unknown[], declaredAt: SourceLocation): readonly unknown[] {
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
  checkMethods(value, methods, CO_MAP, inputs, declaredAt);
  return { form: 'methods', fn };
}

/**
 * What `process` of connected streams was given.
 *
 * @throws SageError SAGE_PLAN_FUNCTION for what is no `KeyedCoProcessFunction`; SAGE_PLAN_HANDLERS, SAGE_PLAN_NOT_KEYED, SAGE_PLAN_KEY_STRATEGY.
 */
export function toCoProcess(value: unknown, args: readonly unknown[], inputs: readonly BaseTransformation[], declaredAt: SourceLocation): UserFunction {
  const fn = toUserFunction(value, args, { call: 'process of connected streams', bases: [KeyedCoProcessFunction], needsBase: true, declaredAt });
  checkMethods(value, isClass(value) ? (value.prototype as object) : (value as object), CO_PROCESS, inputs.length, declaredAt);
  for (const [number, input] of inputs.entries()) {
    checkKeyedState(input, 'process', declaredAt);
    if (input.keyedBy !== undefined) continue;
    throw planError('SAGE_PLAN_NOT_KEYED', {
      message: `process has one state for each key of all connected streams, but the records of the stream number ${number}, '${input.name}', have no key`,
      expected: 'a key for each of the connected streams',
      found: 'a stream without keyBy',
      fix: "Call keyBy behind connect: first.connect(second).keyBy('id').process(Class).",
      declaredAt,
      related: [{ what: `'${input.name}', which has no key`, declaredAt: input.declaredAt }],
    });
  }
  return fn;
}

/** What `connect` of a stream gives for the others that it was given. @throws SageError SAGE_PLAN_ARGUMENT, SAGE_PLAN_FOREIGN_STREAM */
export function toConnected(stream: DataStream<unknown>, others: readonly unknown[], declaredAt: SourceLocation): unknown {
  const broadcast = broadcastAmong(others, declaredAt);
  const streams = checkStreams<DataStream<unknown>>(stream, checkConnected(broadcast === undefined ? others : [broadcast], declaredAt), 'connect', declaredAt);
  return broadcast === undefined ? streamKinds().connected(streams) : streamKinds().broadcastConnected(stream, broadcast);
}

/** The stream of which `connect` was given the `broadcast()`; nothing when it was given others. @throws SageError SAGE_PLAN_ARGUMENT when there are others besides. */
function broadcastAmong(others: readonly unknown[], declaredAt: SourceLocation): DataStream<unknown> | undefined {
  const broadcast = others.find((other): other is BroadcastStream<unknown> => typeof other === 'object' && other !== null && 'stream' in other && !('transformation' in other));
  if (broadcast === undefined || others.length === 1) return broadcast?.stream;
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: `connect was given a broadcast() beside ${others.length - 1} other stream${others.length === 2 ? '' : 's'}`,
    expected: 'one broadcast(), and nothing else',
    found: `${others.length} arguments`,
    fix: 'Make one stream of all broadcast records: stream.connect(rules.union(limits).broadcast()).',
    declaredAt,
  });
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
      message: `comap was given ${counted(args.length, 'more argument')} behind its functions`,
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
    message: `${call} was given ${counted(count, what)} for ${inputs} streams`,
    expected: `${inputs} ${what}s, in the order of the streams in connect`,
    found: counted(count, what),
    fix: count < inputs ? `Add the ${what} of the stream number ${count}; they count from 0.` : `Remove what is more than ${inputs}, or connect the stream that is missing.`,
    declaredAt,
  });
}

/** Handlers are methods, or fields of which only the source of the class tells before there is an object. */
function checkMethods(value: unknown, methods: object, { call, base, prefix }: HandlerClass, inputs: number, declaredAt: SourceLocation): void {
  const handler = new RegExp(`^${prefix}(0|[1-9]\\d*)$`);
  const found = new Set<number>();
  const sources: string[] = [];
  for (let level: object = methods; level !== base.prototype; level = Object.getPrototypeOf(level) as object) {
    for (const name of Object.getOwnPropertyNames(level)) {
      const match = handler.exec(name);
      if (match !== null) found.add(Number(match[1]));
    }
    if (Object.hasOwn(level, 'constructor')) sources.push(Function.prototype.toString.call(level.constructor));
  }
  for (let input = 0; input < inputs; input++) if (sources.some((source) => new RegExp(`\\b${prefix}${input}\\b`).test(source))) found.add(input);
  const name = isClass(value) ? value.name || 'the class' : (value as object).constructor.name;
  const missing = Array.from({ length: inputs }, (_, input) => input).find((input) => !found.has(input));
  const surplus = [...found].find((input) => input >= inputs);
  if (missing === undefined && surplus === undefined) return;
  const has = found.size === 0 ? 'no handler' : [...found].toSorted((a, b) => a - b).map((input) => `${prefix}${input}`).join(', ');
  throw planError('SAGE_PLAN_HANDLERS', {
    message: missing === undefined ? `${call} was given ${name}, whose ${prefix}${surplus} no stream belongs to` : `${call} was given ${name}, which has no ${prefix}${missing} for the stream number ${missing}`,
    expected: `${prefix}0 to ${prefix}${inputs - 1}: one for each of the ${inputs} connected streams`,
    found: has,
    fix: missing === undefined ? `Remove ${prefix}${surplus}, or connect the stream that it is for.` : `Add ${prefix}${missing}(record) to ${name}.`,
    declaredAt,
  });
}
