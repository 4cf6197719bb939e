import { type ErrorCode, SageError } from '../../common/errors.ts';
import type { SerializedError } from './worker-protocol.ts';

/** An error that came from another thread: it prints and compares as the original, but is no instance of its class. */
class RemoteError extends Error {
  readonly code: string | undefined;

  constructor(name: string, message: string, stack: string | undefined, code: string | undefined) {
    super(message);
    this.name = name;
    this.code = code;
    if (stack !== undefined) this.stack = stack;
  }
}

/** What of an error can travel; a record that cannot be cloned becomes its text. */
export function serializeError(error: SageError): SerializedError {
  const { cause } = error;
  return {
    code: error.code,
    message: error.message,
    operator: error.operator,
    declaredAt: error.declaredAt,
    record: cloneable(error.record),
    context: error.context,
    help: error.help,
    cause:
      cause === undefined
        ? undefined
        : cause instanceof Error
          ? { name: cause.name, message: cause.message, stack: cause.stack, code: (cause as { code?: string }).code }
          : { name: 'Error', message: String(cause), stack: undefined, code: undefined },
  };
}

/** The error again, in the thread it was sent to. */
export function deserializeError(serialized: SerializedError): SageError {
  const { code, message, cause, ...rest } = serialized;
  return new SageError(code as ErrorCode, message, {
    ...rest,
    cause: cause === undefined ? undefined : new RemoteError(cause.name, cause.message, cause.stack, cause.code),
  });
}

function cloneable(record: unknown): unknown {
  try {
    return structuredClone(record);
  } catch {
    return String(record);
  }
}
