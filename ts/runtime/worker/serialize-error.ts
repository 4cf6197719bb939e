import { inspect } from 'node:util';

import { type ErrorCode, SageError } from '../../common/errors.ts';
import { plainValue } from '../../common/plain-value.ts';
import type { SerializedCause, SerializedError } from './worker-protocol.ts';

/** Chains of causes are cut here: they may be endless. */
const MAX_CAUSES = 8;

/** Of an AggregateError and of own fields, so many travel. */
const MOST_PARTS = 100;

/** What of an error can travel; a record that cannot be cloned becomes its text. */
export function serializeError(error: SageError, depth = 0): SerializedError {
  return {
    code: error.code,
    message: error.message,
    stack: error.stack,
    operator: error.operator,
    declaredAt: error.declaredAt,
    related: error.related,
    record: 'record' in error ? { value: cloneable(error.record) } : undefined,
    context: error.context,
    domain: error.domain,
    retryable: error.retryable,
    help: error.help,
    cause: error.cause === undefined || depth >= MAX_CAUSES ? undefined : serializeCause(error.cause, depth + 1),
  };
}

/** The error again, in the thread it was sent to. */
export function deserializeError(serialized: SerializedError): SageError {
  const { code, message, stack, cause, record, ...rest } = serialized;
  const error = new SageError(code as ErrorCode, message, {
    ...rest,
    ...(record === undefined ? {} : { record: record.value }),
    cause: cause === undefined ? undefined : deserializeCause(cause),
  });
  if (stack !== undefined) error.stack = stack;
  return error;
}

/** What of a cause can travel: for an error class name, message, stack, own fields, parts and causes. */
export function serializeCause(cause: unknown, depth = 0): SerializedCause {
  if (!(cause instanceof Error)) return { kind: 'value', value: cloneable(cause) };
  if (cause instanceof SageError) return { kind: 'sage', error: serializeError(cause, depth) };
  const parts: unknown = cause instanceof AggregateError ? cause.errors : undefined;
  return {
    kind: 'error',
    name: className(cause),
    message: text(cause.message),
    stack: stackOf(cause),
    fields: ownFields(cause),
    errors: Array.isArray(parts) && depth < MAX_CAUSES ? parts.slice(0, MOST_PARTS).map((part: unknown) => serializeCause(part, depth + 1)) : undefined,
    cause: cause.cause === undefined || depth >= MAX_CAUSES ? undefined : serializeCause(cause.cause, depth + 1),
  };
}

/** The cause again, in the thread it was sent to. */
export function deserializeCause(cause: SerializedCause): unknown {
  switch (cause.kind) {
    case 'value':
      return cause.value;
    case 'sage':
      return deserializeError(cause.error);
    case 'error':
      return remoteError(cause);
  }
}

type ErrorClass = new (message: string, options?: ErrorOptions) => Error;

/** Classes that every thread has: an error of one is an instance of it again. */
const BUILT_IN: ReadonlyMap<string, ErrorClass> = new Map(
  [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((type) => [type.name, type]),
);

/**
 * An error that came from another thread: it prints and compares as the original. Of a class of the user's it is no instance, as
 * that class is in the other thread; it has its name.
 */
function remoteError(from: Extract<SerializedCause, { kind: 'error' }>): Error {
  const options = from.cause === undefined ? undefined : { cause: deserializeCause(from.cause) };
  const error =
    from.errors === undefined
      ? new (BUILT_IN.get(from.name) ?? classNamed(from.name))(from.message, options)
      : new AggregateError(from.errors.map(deserializeCause), from.message, options);
  // As on errors of this thread: what only describes is not printed as a field.
  if (error.name !== from.name) Object.defineProperty(error, 'name', { value: from.name, configurable: true, writable: true });
  if (from.stack !== undefined) error.stack = from.stack;
  for (const [name, value] of Object.entries(from.fields)) {
    Object.defineProperty(error, name, { value, configurable: true, enumerable: true, writable: true });
  }
  return error;
}

/** Printers and serialisers ask an error's class for its name. */
function classNamed(name: string): ErrorClass {
  return Object.defineProperty(class extends Error {}, 'name', { value: name });
}

/** What user code has set on an error: `code`, `errno`, `status` ... */
function ownFields(error: Error): Readonly<Record<string, unknown>> {
  const names = Object.keys(error).filter((name) => !['name', 'message', 'stack', 'cause', 'errors'].includes(name));
  return Object.fromEntries(names.slice(0, MOST_PARTS).map((name) => [name, fieldOf(error, name)]));
}

function fieldOf(error: Error, name: string): unknown {
  try {
    return cloneable((error as unknown as Record<string, unknown>)[name]);
  } catch {
    return '[not readable]';
  }
}

/** A class that extends Error and sets no name is called by its own: `name` would only say `Error`. */
function className(error: Error): string {
  const own = error.constructor?.name;
  return error.name === 'Error' && typeof own === 'string' && own !== '' ? own : text(error.name);
}

/** User code can set anything as the name or message of an error. */
function text(message: unknown): string {
  return typeof message === 'string' ? message : inspect(message, { depth: 2 });
}

/** Made when it is first read, of name and message, and that may fail. */
function stackOf(error: Error): string | undefined {
  try {
    const { stack } = error as { stack?: unknown };
    return typeof stack === 'string' ? stack : undefined;
  } catch {
    return undefined;
  }
}

function cloneable(value: unknown): unknown {
  try {
    return structuredClone(value);
  } catch {
    return plainValue(value);
  }
}
