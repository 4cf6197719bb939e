import { inspect, type InspectOptions } from 'node:util';

import { ERROR_TABLE, type ErrorCode, type ErrorDomain } from './error-codes.generated.ts';
import { errorPageUrl } from './error-page.ts';
import { errorReport } from './error-report.ts';
import { isFrame, usersFrames, withoutTopFrames } from './own-frames.ts';
import { type PlainValue, plainValue } from './plain-value.ts';
import { planErrorText, type RelatedPlace } from './plan-error-text.ts';
import { formatSourceLocation, type SourceLocation } from './source-location.ts';

export type { ErrorCode, ErrorDomain } from './error-codes.generated.ts';
export type { RelatedPlace } from './plan-error-text.ts';

/** How the one frame begins that errors of operators have. */
const OPERATOR_FRAME = '    at operator ';

/** What may be known about an error beside its code and message. */
export interface SageErrorOptions {
  /** Name of the operator in which it happened. */
  readonly operator?: string | undefined;
  /** Where the user declared that operator. */
  readonly declaredAt?: SourceLocation | undefined;
  /** Other places that it is about. */
  readonly related?: readonly RelatedPlace[] | undefined;
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
  /** The error behind this one. */
  readonly cause?: unknown;
}

/**
 * Every error that SAGE Kernel raises. `code` is stable (docs/errors.md lists all, `helpUrl` is its page); the words of
 * `message` are not. `console.log(error)` shows all that is known, `JSON.stringify(error)` the same for machines.
 *
 * Errors of a user's function are the `cause` of one of these.
 *
 * ```ts
 * const env = new LocalEnvironment('picky');
 * env.fromCollection([1, 2]).map((n) => { if (n === 2) throw new RangeError('two'); return n; }).named('check').sink([]);
 * const error: unknown = await env.submit({ autostop: true }).catch((reason: unknown) => reason);
 * if (isSageError(error)) console.log(error.code, error.operator, error.record, error.cause);
 * ```
 */
export class SageError extends Error {
  /** Stable: what programs decide by. Each has a help page. */
  readonly code: ErrorCode;
  // What is not known is not set, so that a printed error shows only what says something.
  /** Name of the operator that it happened in; `undefined` where there was none. */
  declare readonly operator: string | undefined;
  /** Where the user declared the operator, or made the call that is wrong. */
  declare readonly declaredAt: SourceLocation | undefined;
  /** Other places that it is about, such as the operator that has the same uid. */
  declare readonly related: readonly RelatedPlace[] | undefined;
  /** The record that was being processed. */
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
    if (options.related !== undefined && options.related.length > 0) this.related = options.related;
    if ('record' in options) this.record = options.record;
    this.context = options.context ?? {};
    this.domain = options.domain ?? info.domain;
    this.retryable = options.retryable ?? info.retryable;
    this.help = options.help ?? info.help;
  }

  /** Address of the help page of the code: what it means, and how to get rid of it. */
  get helpUrl(): string {
    return errorPageUrl(this.code);
  }

  /** What `JSON.stringify` writes: everything, with record and causes cut to what a log can hold. */
  toJSON(): { readonly [name: string]: PlainValue } {
    const { name, code, message, operator, declaredAt, related, context, domain, retryable, help, helpUrl, stack, cause } = this;
    const known = {
      ...(operator === undefined ? {} : { operator }),
      ...(declaredAt === undefined ? {} : { declaredAt: plainValue(declaredAt) }),
      ...(related === undefined ? {} : { related: plainValue(related) }),
      ...('record' in this ? { record: plainValue(this.record) } : {}),
    };
    return {
      name, code, message, ...known, context: plainValue(context), domain, retryable, help, helpUrl,
      ...(typeof stack === 'string' ? { stack } : {}),
      ...(cause === undefined ? {} : { cause: plainValue(cause) }),
    };
  }
}

// On the prototype: the stack begins with it, and it is no field of each error.
Object.defineProperty(SageError.prototype, 'name', { value: 'SageError', configurable: true, writable: true });
// A computed name, which a class whose declarations stand alone cannot have.
Object.defineProperty(SageError.prototype, inspect.custom, {
  configurable: true,
  writable: true,
  value(this: SageError, depth: number, options: InspectOptions): string {
    return inspected(this, depth, options);
  },
});

/** What `console.log` shows. */
function inspected(error: SageError, depth: number, options: InspectOptions): string {
  if (depth < 0) return `[${error.name}: ${error.code}]`;
  // Frames of ours help nobody but us, and the place of an operator is in the report.
  const stack = String(error.stack);
  const frames = (error.domain === 'internal' ? stack : usersFrames(stack)).split('\n').filter((line) => isFrame(line) && !line.startsWith(OPERATOR_FRAME));
  return [`${error.name} ${errorReport(error, { colors: options.colors === true })}`, ...frames].join('\n');
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
  /** What is there instead. */
  readonly found?: string | undefined;
  /** One fix; the table's help when left away. */
  readonly fix?: string | undefined;
  readonly declaredAt: SourceLocation;
  /** Other places that the user should look at. */
  readonly related?: readonly RelatedPlace[] | undefined;
  readonly operator?: string | undefined;
  readonly cause?: unknown;
}

/**
 * An error in how a pipeline is written, found before anything runs. Its message shows the user's own source with a caret, what
 * was expected and found, one fix, and the help page.
 */
export function planError(code: ErrorCode, parts: PlanErrorParts): SageError {
  const { message, expected, found, declaredAt, related = [], operator, cause } = parts;
  const help = parts.fix ?? ERROR_TABLE[code].help;
  const text = planErrorText({ code, message, expected, found, help, declaredAt, related });
  const error = new SageError(code, text, { operator, declaredAt, related, help, cause });
  // Hooks of others may have made anything of it.
  if (typeof error.stack === 'string') error.stack = withoutTopFrames(error.stack);
  return error;
}

/** Where an error of an operator belongs. */
export interface OperatorErrorOptions extends SageErrorOptions {
  readonly operator: string;
}

/**
 * An error in an operator while its job runs. Its stack is the place where the user declared the operator, as editors and test
 * runners jump to that; how we came to call the function says nothing, and what it threw is the cause, with a stack of its own.
 */
export function operatorError(code: ErrorCode, message: string, options: OperatorErrorOptions): SageError {
  const error = new SageError(code, message, options);
  const { operator, declaredAt } = options;
  if (declaredAt !== undefined && error.domain !== 'internal') {
    error.stack = `${error.name}: ${message}\n${OPERATOR_FRAME}'${operator}' (${formatSourceLocation(declaredAt)})`;
  }
  return error;
}

/** The same error with the operator that it belongs to; one that knows its operator and place stays itself. */
export function atOperator(error: SageError, where: OperatorErrorOptions): SageError {
  if (error.operator !== undefined && (error.declaredAt !== undefined || where.declaredAt === undefined)) return error;
  const { code, message, context, domain, retryable, help, related, cause } = error;
  const named = message.includes(`'${where.operator}'`) ? message : `${message} (operator '${where.operator}')`;
  const record = 'record' in error ? { record: error.record } : 'record' in where ? { record: where.record } : {};
  return operatorError(code, named, {
    context, domain, retryable, help, cause, ...record,
    operator: error.operator ?? where.operator,
    declaredAt: where.declaredAt,
    related: related ?? where.related,
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
  const named = core.context?.['operator'];
  const operator = options.operator ?? (typeof named === 'string' ? named : undefined);
  const known = { ...options, context: core.context ?? options.context, cause: options.cause ?? core.cause ?? undefined };
  return operator === undefined ? new SageError(core.code, core.message, known) : operatorError(core.code, core.message, { ...known, operator });
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
