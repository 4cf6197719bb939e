import { inspect } from 'node:util';

import { type ErrorCode, SageError } from '../../common/errors.ts';
import type { SerializedCause, SerializedError } from './worker-protocol.ts';

/** Chains of causes are cut here: they may be endless. */
const MAX_CAUSES = 8;

/** An error that came from another thread: it prints and compares as the original, but is no instance of its class. */
class RemoteError extends Error {
  declare readonly code: string | number | undefined;

  constructor(from: Extract<SerializedCause, { kind: 'error' }>) {
    super(from.message, from.cause === undefined ? undefined : { cause: deserializeCause(from.cause) });
    // As on errors of this thread: what only describes is not printed as a field.
    Object.defineProperty(this, 'name', { value: from.name, configurable: true, writable: true });
    if (from.stack !== undefined) this.stack = from.stack;
    if (from.code !== undefined) this.code = from.code;
  }
}

/** What of an error can travel; a record that cannot be cloned becomes its text. */
export function serializeError(error: SageError): SerializedError {
  return {
    code: error.code,
    message: error.message,
    stack: error.stack,
    operator: error.operator,
    declaredAt: error.declaredAt,
    record: 'record' in error ? { value: cloneable(error.record) } : undefined,
    context: error.context,
    domain: error.domain,
    retryable: error.retryable,
    help: error.help,
    cause: error.cause === undefined ? undefined : serializeCause(error.cause, 0),
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

function serializeCause(cause: unknown, depth: number): SerializedCause {
  if (!(cause instanceof Error)) return { kind: 'value', value: cloneable(cause) };
  if (cause instanceof SageError) return { kind: 'sage', error: serializeError(cause) };
  const { code } = cause as { code?: unknown };
  return {
    kind: 'error',
    name: className(cause),
    message: text(cause.message),
    stack: stackOf(cause),
    code: typeof code === 'string' || typeof code === 'number' ? code : undefined,
    cause: cause.cause === undefined || depth >= MAX_CAUSES ? undefined : serializeCause(cause.cause, depth + 1),
  };
}

function deserializeCause(cause: SerializedCause): unknown {
  switch (cause.kind) {
    case 'value':
      return cause.value;
    case 'sage':
      return deserializeError(cause.error);
    case 'error':
      return new RemoteError(cause);
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
    return inspect(value, { depth: 2 });
  }
}
