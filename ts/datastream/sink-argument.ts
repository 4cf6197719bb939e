import { planError } from '../common/errors.ts';
import type { SourceLocation } from '../common/source-location.ts';
import { describeValue, toUserFunction } from '../functions/check-user-function.ts';
import { isClass } from '../functions/class-detection.ts';
import { SinkFunction } from '../functions/sink-function.ts';
import { isTransactionalFunction } from '../functions/transactional-sink.ts';
import { lambdaFunction } from '../functions/user-function.ts';
import type { Sink } from '../transformations/connector.ts';
import type { Delivery, FunctionSink, SinkDescriptor } from '../transformations/sink-descriptor.ts';
import { isConnectorClass, makingOf } from './connector-class.ts';
import { checkArgs } from './key-selector.ts';
import { toStreamSink } from './streams/stream-sink.ts';

/** What `sink` was given, as the compiler wants it. @throws SageError SAGE_PLAN_SINK and other plan errors. */
export function toSinkDescriptor(value: unknown, options: { readonly args?: unknown; readonly end?: unknown; readonly delivery?: unknown }, declaredAt: SourceLocation): SinkDescriptor {
  const { args, end, delivery } = options;
  const descriptor = describeSink(value, args, end, declaredAt);
  if (delivery === undefined) return descriptor;
  return { ...checkDeliverable(descriptor, value, declaredAt), delivery: checkDelivery(delivery, declaredAt) };
}

function describeSink(value: unknown, args: unknown, end: unknown, declaredAt: SourceLocation): SinkDescriptor {
  const stream = typeof value === 'object' && value !== null ? toStreamSink(value, end, declaredAt) : undefined;
  if (stream !== undefined) return stream;
  if (end !== undefined) {
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `sink was given the option end for ${describeValue(value)}`,
      expected: 'the option end for a Writable or a WritableStream only',
      fix: 'Leave it away.',
      declaredAt,
    });
  }
  if (Array.isArray(value)) {
    if (!Object.isFrozen(value)) return { form: 'array', target: value };
    throw notASink('a frozen array', 'Give an array that can grow.', declaredAt);
  }
  if (isConnector(value)) {
    const descriptor = value.describe();
    if (!('bounded' in descriptor)) return descriptor;
    throw notASink(`${describeValue(value)}, which is a source`, 'Use a sink such as new JsonLinesSink(path).', declaredAt);
  }
  if (isConnectorClass(value)) throw notASink(`${describeValue(value)} itself`, `Write sink(${makingOf(value)}).`, declaredAt);
  const executable = typeof value === 'object' && value !== null && 'execute' in value;
  if (typeof value !== 'function' && !executable) {
    const fix = typeof value === 'string' ? `For a file write sink(new JsonLinesSink(${JSON.stringify(value)})).` : 'Write sink((record) => ...) or sink(array).';
    throw notASink(describeValue(value), fix, declaredAt);
  }
  const classArgs = isClass(value) ? checkArgs(args, declaredAt) : [];
  return { form: 'function', fn: toUserFunction(value, classArgs, { call: 'sink', bases: [SinkFunction], declaredAt }) };
}

/** Only what nobody knows but the user is for the user to say. */
function checkDeliverable(descriptor: SinkDescriptor, value: unknown, declaredAt: SourceLocation): FunctionSink {
  const isFunction = descriptor.form === 'function';
  if (isFunction && !isTransactionalFunction(descriptor.fn)) return descriptor;
  const what = describeValue(value);
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: `sink was given the option delivery for ${what}${isFunction ? ', which has prepare() and commit()' : ''}`,
    expected: 'the option delivery for a function, a class or an object without prepare() and commit()',
    found: what,
    fix: isFunction ? 'Leave it away: what a transactional sink commits is there once.' : 'Leave it away: what this sink guarantees is known.',
    declaredAt,
  });
}

function checkDelivery(delivery: unknown, declaredAt: SourceLocation): Delivery {
  if (delivery === 'atLeastOnce' || delivery === 'idempotent') return delivery;
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: `the option delivery of sink is ${describeValue(delivery)}`,
    expected: "'atLeastOnce' or 'idempotent'",
    found: describeValue(delivery),
    fix: "Write delivery: 'idempotent' when a record overwrites what is there of it, or leave it away.",
    declaredAt,
  });
}

/** A sink that writes each record to standard output, as `console.log` shows it. */
export function printSink(prefix: string | undefined): SinkDescriptor {
  // eslint-disable-next-line no-console -- printing is what it is for
  const print = prefix === undefined ? (record: never) => console.log(record) : (record: never) => console.log(prefix, record);
  return { form: 'function', fn: lambdaFunction(print) };
}

function isConnector(value: unknown): value is Sink<never> {
  return typeof value === 'object' && value !== null && typeof (value as { describe?: unknown }).describe === 'function';
}

function notASink(what: string, fix: string, declaredAt: SourceLocation): Error {
  return planError('SAGE_PLAN_SINK', {
    message: `sink was given ${what}`,
    expected: 'an array, a function, a class that extends SinkFunction or an object of one, a Writable, a WritableStream, or a connector',
    found: what,
    fix,
    declaredAt,
  });
}
