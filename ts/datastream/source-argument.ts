import { types } from 'node:util';
import { planError } from '../common/errors.ts';
import type { SourceLocation } from '../common/source-location.ts';
import { isStandardSchema, type StandardSchema } from '../common/standard-schema.ts';
import { BatchFunction } from '../functions/batch-function.ts';
import { describeValue, toUserFunction } from '../functions/check-user-function.ts';
import { isClass } from '../functions/class-detection.ts';
import { SourceFunction } from '../functions/source-function.ts';
import { givenTimestamp, Timestamped } from '../functions/timestamped.ts';
import type { Source } from '../transformations/connector.ts';
import type { RecordIterator, SourceDescriptor, SourceTimestamps } from '../transformations/source-descriptor.ts';
import { isConnectorClass, makingOf } from './connector-class.ts';
import { checkGivenTimestamps } from './operator-arguments.ts';
import { checkSchema } from './plan-checks.ts';
import type { TimestampOptions } from './stream-options.ts';
import { toRecordIterable } from './streams/record-iterable.ts';

/** Options of sources that cannot say it themselves. */
export interface SourceOptions {
  /** The source never ends by itself. */
  readonly unbounded?: boolean;
  /** For records that are given as `timestamped(record, t)` only: {@link TimestampedSourceOptions}. */
  readonly timestamps?: never;
}

/** As {@link SourceOptions}, with a schema that each record has to match. */
export interface SchemaSourceOptions<S extends StandardSchema> extends SourceOptions {
  /** A schema of zod, valibot, arktype, or another library with Standard Schema. Its output is the record. */
  readonly schema: S;
}

/** As {@link SourceOptions}, for a source that gives each record as `timestamped(record, t)`. */
export interface TimestampedSourceOptions extends Pick<SourceOptions, 'unbounded'> {
  /**
   * How event time goes on by these timestamps: the options of `assignTimestamps`. Each parallel instance has a watermark of its own, and the
   * least of them counts. A record that comes without a timestamp is SAGE_TIME_INVALID. Not with a `schema`: validate behind the source then.
   */
  readonly timestamps: Omit<TimestampOptions, 'unit'>;
}

/** The call that the user wrote. */
export type SourceCall = 'fromBatch' | 'fromCollection' | 'fromSource' | 'fromStream';

/** What a source call was given, as the compiler wants it. @throws SageError SAGE_PLAN_SOURCE and other plan errors. */
export function toSourceDescriptor(
  call: SourceCall,
  value: unknown,
  rest: readonly unknown[],
  declaredAt: SourceLocation,
): SourceDescriptor {
  if (isConnectorClass(value)) throw notASource(call, `${describeValue(value)} itself`, declaredAt, `Write ${call}(${makingOf(value)}).`);
  const { args, bounded, schema, timestamps } = splitOptions(call, rest, isClass(value) || types.isGeneratorFunction(value), declaredAt);
  const descriptor = describe(call, value, args, bounded, declaredAt);
  if (timestamps !== undefined && isConnector(value)) {
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `${call} was given timestamps beside ${describeValue(value)}, whose records come without`,
      expected: 'a generator, an iterable, a function or a source class that gives timestamped(record, t)',
      fix: "Call assignTimestamps('at', { outOfOrdernessMs: 5000 }) behind the source, or give FileSource timestamps: { field: 'at', ... }.",
      found: describeValue(value),
      declaredAt,
    });
  }
  if (descriptor.form === 'collection' && timestamps === undefined && descriptor.items[0] instanceof Timestamped) throw withoutOption(call, declaredAt);
  return { ...descriptor, ...(schema === undefined ? {} : { schema }), ...(timestamps === undefined ? {} : { timestamps }) };
}

function withoutOption(call: SourceCall, declaredAt: SourceLocation): Error {
  return planError('SAGE_PLAN_ARGUMENT', {
    message: `${call} was given records with timestamps, and no option timestamps`,
    expected: 'how far out of order the timestamps may be',
    fix: `Write ${call}(source, { timestamps: { outOfOrdernessMs: 5000 } }).`,
    found: 'timestamped(record, t)',
    declaredAt,
  });
}

function isConnector(value: unknown): boolean {
  return typeof value === 'object' && value !== null && typeof (value as { describe?: unknown }).describe === 'function';
}

function describe(call: SourceCall, value: unknown, args: readonly unknown[], bounded: boolean, declaredAt: SourceLocation): SourceDescriptor {
  if (isClass(value) || isFunctionObject(value)) return functionSource(call, value, args, bounded, declaredAt);
  if (typeof value === 'function' && types.isGeneratorFunction(value)) {
    const generator = value as unknown as (...args: readonly unknown[]) => RecordIterator;
    return {
      form: 'iterable',
      name: `generator ${value.name || 'function'}`,
      open: () => generator(...args),
      async: types.isAsyncFunction(value) ? 'yes' : 'no',
      replay: 'again',
      bounded,
    };
  }
  if (typeof value === 'function') return functionSource(call, value, args, bounded, declaredAt);
  if (args.length > 0) {
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `${call} was given more arguments behind ${describeValue(value)}`,
      expected: 'further arguments behind a class or a generator function only, or the options { unbounded, schema, timestamps }',
      fix: `Remove them: ${call}(${Array.isArray(value) ? 'array' : 'source'}).`,
      found: describeValue(value),
      declaredAt,
    });
  }
  if (Array.isArray(value)) return { form: 'collection', items: value, bounded };
  if (typeof value === 'object' && value !== null) {
    if (isConnector(value)) {
      const descriptor = (value as Source<unknown>).describe();
      if ('bounded' in descriptor) return descriptor;
      throw notASource(call, `${describeValue(value)}, which is a sink`, declaredAt);
    }
    const iterable = toRecordIterable(value);
    if (iterable !== undefined) {
      const { problem, ...source } = iterable;
      if (problem === undefined) return { form: 'iterable', ...source, bounded };
      throw notASource(call, `a ${iterable.name} that ${problem}`, declaredAt, 'Give a stream that nobody has read, and read it here only.');
    }
  }
  throw notASource(call, describeValue(value), declaredAt);
}

/** Whether a function gives `END` at its end, and not `null`. */
function isSourceCall(call: SourceCall): boolean {
  return call === 'fromSource' || call === 'fromStream';
}

function isFunctionObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && typeof (value as { execute?: unknown }).execute === 'function';
}

function functionSource(
  call: SourceCall,
  value: unknown,
  args: readonly unknown[],
  bounded: boolean,
  declaredAt: SourceLocation,
): SourceDescriptor {
  const bases = isSourceCall(call) ? [SourceFunction, BatchFunction] : [BatchFunction, SourceFunction];
  const fn = toUserFunction(value, args, { call, bases, declaredAt });
  const prototype: unknown = fn.form === 'class' ? fn.ctor.prototype : fn.form === 'instance' ? fn.object : undefined;
  // The base class says what null means; without one, the call does.
  const batch =
    prototype instanceof BatchFunction || (!isSourceCall(call) && !(prototype instanceof SourceFunction));
  return { form: batch ? 'batch' : 'function', fn, bounded };
}

/** The options are the last argument: a plain object with the names `unbounded`, `schema` and `timestamps` and no others. */
function splitOptions(
  call: SourceCall,
  rest: readonly unknown[],
  takesArguments: boolean,
  declaredAt: SourceLocation,
): { readonly args: readonly unknown[]; readonly bounded: boolean; readonly schema: StandardSchema | undefined; readonly timestamps?: SourceTimestamps } {
  const last = rest.at(-1);
  if (!isOptions(last, takesArguments)) return { args: rest, bounded: true, schema: undefined };
  const { unbounded } = last;
  const schema = last.schema === undefined ? undefined : checkSchema(last.schema, call, declaredAt);
  if (unbounded === undefined || typeof unbounded === 'boolean') {
    const own = { args: rest.slice(0, -1), bounded: unbounded !== true, schema };
    if (last.timestamps === undefined) return own;
    if (schema !== undefined) throw schemaAndTimestamps(call, declaredAt);
    return { ...own, timestamps: { selector: givenTimestamp, settings: checkGivenTimestamps(last.timestamps, call, declaredAt) } };
  }
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: `unbounded of ${call} is ${describeValue(unbounded)}`,
    expected: 'true or false',
    fix: `Write ${call}(source, { unbounded: true }).`,
    found: describeValue(unbounded),
    declaredAt,
  });
}

function schemaAndTimestamps(call: SourceCall, declaredAt: SourceLocation): Error {
  return planError('SAGE_PLAN_ARGUMENT', {
    message: `${call} was given a schema and timestamps`,
    expected: 'one of the two: onError would have to speak of both',
    fix: 'Leave the schema away, and call map with a function that validates behind the source.',
    declaredAt,
  });
}

function isOptions(value: unknown, takesArguments: boolean): value is { readonly unbounded?: unknown; readonly schema?: unknown; readonly timestamps?: unknown } {
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return false;
  const names = Object.keys(value);
  if (names.length === 0) return !takesArguments; // an empty object may well be an argument
  if (!names.every((name) => name === 'unbounded' || name === 'schema' || name === 'timestamps')) return false;
  // Behind what takes arguments, something else of that name is one of these.
  if (!takesArguments) return true;
  return (!('schema' in value) || isStandardSchema(value.schema)) && (!('timestamps' in value) || isTimestamps(value.timestamps));
}

function isTimestamps(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'outOfOrdernessMs' in value;
}

function notASource(call: SourceCall, what: string, declaredAt: SourceLocation, fix: string = sourceFix(call, what)): Error {
  return planError('SAGE_PLAN_SOURCE', {
    message: `${call} was given ${what}`,
    expected: 'an array, an iterable or async iterable, a generator function, a function, a source class or a connector',
    found: what,
    fix,
    declaredAt,
  });
}

function sourceFix(call: SourceCall, what: string): string {
  if (what.startsWith('the string')) return `Put it into an array: ${call}([text]).`;
  return what === 'an object (Promise)' ? `Await it first: ${call}(await promise).` : `Write ${call}([record, ...]).`;
}
