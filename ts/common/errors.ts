import { ERROR_TABLE, type ErrorCode, type ErrorDomain } from './error-codes.generated.ts';
import { formatSourceLine, formatSourceLocation, type SourceLocation } from './source-location.ts';

export type { ErrorCode, ErrorDomain } from './error-codes.generated.ts';

/** What may be known about an error beside its code and message. */
export interface SageErrorOptions {
  /** Name of the operator in which it happened. */
  readonly operator?: string | undefined;
  /** Where the user declared that operator. */
  readonly declaredAt?: SourceLocation | undefined;
  /** The record that was being processed; leave it away when there is none, as `undefined` is a record too. */
  readonly record?: unknown;
  /** Details from the core: file, line, byte, task ... */
  readonly context?: Readonly<Record<string, string | number>> | undefined;
  /** Instead of the table's. */
  readonly domain?: ErrorDomain | undefined;
  /** Instead of the table's. */
  readonly retryable?: boolean | undefined;
  /** One sentence with the fix, instead of the table's. */
  readonly help?: string | undefined;
  readonly cause?: unknown;
}

/**
 * Every error that SAGE Kernel raises. `code` is stable (docs/errors.md lists all); the words of `message` are not.
 *
 * Errors of a user's function are the `cause` of one of these.
 */
export class SageError extends Error {
  override readonly name = 'SageError';
  readonly code: ErrorCode;
  // What is not known is not set, so that a printed error shows only what says something.
  declare readonly operator: string | undefined;
  declare readonly declaredAt: SourceLocation | undefined;
  declare readonly record: unknown;
  /** Details from the core, such as `file`, `line` and `byte`. */
  readonly context: Readonly<Record<string, string | number>>;
  /** Who can do something about it. */
  readonly domain: ErrorDomain;
  /** Whether the same call may succeed later without a change. */
  readonly retryable: boolean;
  /** One sentence with the fix. */
  readonly help: string;

  constructor(code: ErrorCode, message: string, options: SageErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    const info = ERROR_TABLE[code];
    this.code = code;
    if (options.operator !== undefined) this.operator = options.operator;
    if (options.declaredAt !== undefined) this.declaredAt = options.declaredAt;
    if ('record' in options) this.record = options.record;
    this.context = options.context ?? {};
    this.domain = options.domain ?? info.domain;
    this.retryable = options.retryable ?? info.retryable;
    this.help = options.help ?? info.help;
  }
}

/** Whether `error` is a {@link SageError}, and has `code` when one is given. */
export function isSageError(error: unknown, code?: ErrorCode): error is SageError {
  return error instanceof SageError && (code === undefined || error.code === code);
}

/** What a plan error says. */
export interface PlanErrorParts {
  /** What is wrong, as one sentence. */
  readonly message: string;
  /** What would have been right. */
  readonly expected: string;
  /** One fix; the table's help when left away. */
  readonly fix?: string | undefined;
  readonly declaredAt: SourceLocation;
  readonly operator?: string | undefined;
  readonly cause?: unknown;
}

/**
 * An error in how a pipeline is written, found before anything runs. Its message shows the user's own line, what was
 * expected, and one fix.
 */
export function planError(code: ErrorCode, parts: PlanErrorParts): SageError {
  const help = parts.fix ?? ERROR_TABLE[code].help;
  const source = formatSourceLine(parts.declaredAt);
  const where = `  at ${formatSourceLocation(parts.declaredAt)}${source === '' ? '' : `\n${source}`}`;
  return new SageError(code, `${parts.message}\n${where}\n  expected: ${parts.expected}\n  fix: ${help}`, {
    operator: parts.operator,
    declaredAt: parts.declaredAt,
    help,
    cause: parts.cause,
  });
}

/** The core's JSON form of an error: `{ code, message, context?, cause? }`. */
interface CoreErrorJson {
  readonly code: ErrorCode;
  readonly message: string;
  readonly context?: Readonly<Record<string, string | number>>;
  readonly cause?: string | null;
}

/**
 * Turns what the binding threw into a {@link SageError}. A SageError is given back as it is; anything that does not come
 * from the core becomes `SAGE_INTERNAL` with the original as its cause.
 */
export function toSageError(error: unknown, options: SageErrorOptions = {}): SageError {
  if (error instanceof SageError) return error;
  const known = coreError(error, options);
  if (known !== undefined) return known;
  const text = error instanceof Error ? error.message : String(error);
  return new SageError('SAGE_INTERNAL', text, { ...options, cause: error });
}

/** What the binding threw as a {@link SageError}; undefined for an error of anybody else. */
export function coreError(error: unknown, options: SageErrorOptions = {}): SageError | undefined {
  const core = error instanceof Error ? parseCoreError(error) : undefined;
  if (core === undefined) return undefined;
  const operator = core.context?.['operator'];
  return new SageError(core.code, core.message, {
    ...options,
    operator: options.operator ?? (typeof operator === 'string' ? operator : undefined),
    context: core.context ?? options.context,
    cause: options.cause ?? core.cause ?? undefined,
  });
}

function parseCoreError(error: Error): CoreErrorJson | undefined {
  try {
    // Errors of user code come here as well: their message may be anything, also what cannot be read.
    const message: unknown = error.message;
    if (typeof message !== 'string' || !message.startsWith('{')) return undefined;
    const value = JSON.parse(message) as Partial<CoreErrorJson>;
    if (typeof value.code !== 'string' || !Object.hasOwn(ERROR_TABLE, value.code)) return undefined;
    return { ...value, code: value.code, message: String(value.message) };
  } catch {
    return undefined;
  }
}
