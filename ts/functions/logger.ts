import { format } from 'node:util';

import type { LogLevel } from './log-level.ts';

/** Details of a log line, by name. An `Error` among them keeps its stack and causes. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Writes one line: fields and a message, or a message alone. What stands behind the message is put into it as `util.format`
 * does. An `Error` in place of the fields is the field `err`.
 */
export interface LogMethod {
  /** A line with fields; the values stand in for `%s`, `%d`, `%o` of the message. */
  (fields: object, message?: string, ...values: unknown[]): void;
  /** A line without fields. */
  (message: string, ...values: unknown[]): void;
}

/**
 * Writes log lines. `ctx.logger` is one whose lines have job, operator and instance; a `pino` logger is one as it is, and can be
 * given to an environment.
 *
 * ```ts
 * class Check extends MapFunction<number, number> {
 *   execute(n: number) {
 *     if (n < 0) this.logger.warn({ n }, 'a negative number');
 *     return n;
 *   }
 * }
 * env.fromCollection([1, -2]).map(Check).print();
 * ```
 */
export interface Logger {
  /** For whoever looks for a mistake. */
  readonly debug: LogMethod;
  /** What is worth knowing. */
  readonly info: LogMethod;
  /** What somebody should look at. */
  readonly warn: LogMethod;
  /** What has failed. */
  readonly error: LogMethod;
  /** A logger whose lines have these fields as well. */
  child(bindings: LogFields): Logger;
  /** Whether lines of a level are written at all; worker threads then do not send the others. */
  isLevelEnabled?(level: string): boolean;
}

/** One line, before it is written. */
export interface LogEntry {
  readonly level: LogLevel;
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  /** What the logger says of each of its lines. */
  readonly bindings: LogFields;
  readonly fields: LogFields;
  readonly message: string;
}

/** What {@link entryLogger} needs. */
export interface EntryLoggerOptions {
  readonly bindings: LogFields;
  readonly isEnabled: (level: LogLevel) => boolean;
  readonly write: (entry: LogEntry) => void;
}

/** A logger that hands its lines on as entries. */
export function entryLogger(options: EntryLoggerOptions): Logger {
  const { bindings, isEnabled, write } = options;
  const method =
    (level: LogLevel): LogMethod =>
    (...args: readonly unknown[]) => {
      if (isEnabled(level)) write({ level, timeMs: Date.now(), bindings, ...fieldsAndMessage(args) });
    };
  return {
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    child: (more) => entryLogger({ ...options, bindings: { ...bindings, ...more } }),
    isLevelEnabled: (level) => isEnabled(level as LogLevel),
  };
}

function fieldsAndMessage([first, second, ...rest]: readonly unknown[]): { readonly fields: LogFields; readonly message: string } {
  if (typeof first === 'object' && first !== null) {
    const isError = first instanceof Error;
    const message = second ?? (isError ? first.message : undefined);
    return { fields: isError ? { err: first } : (first as LogFields), message: message === undefined ? '' : formatted(message, rest) };
  }
  return { fields: {}, message: formatted(first, second === undefined && rest.length === 0 ? [] : [second, ...rest]) };
}

/** A log line must never fail the job, whatever is put into it. */
function formatted(message: unknown, values: readonly unknown[]): string {
  try {
    return values.length === 0 ? String(message) : format(message, ...values);
  } catch {
    return `${typeof message === 'string' ? message : `[${typeof message}]`} [with values that cannot be shown]`;
  }
}
