/** Levels of a log line, quiet last. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Details of a log line. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes log lines; each has the operator and instance it came from. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 };

/** What {@link createLogger} needs. */
export interface LoggerOptions {
  /** Stands before each message: `job/operator[0]`. */
  readonly source: string;
  /** The least level that is written; `SAGE_LOG_LEVEL`, or `info`. */
  readonly level?: LogLevel;
  /** Takes one line without its line end; standard error when left away. */
  readonly write?: (line: string) => void;
}

/** A logger that writes `level source message {fields}` lines. */
export function createLogger(options: LoggerOptions): Logger {
  const least = RANK[options.level ?? levelFromEnvironment()];
  const write = options.write ?? ((line: string) => void process.stderr.write(`${line}\n`));
  const log = (level: LogLevel, message: string, fields: LogFields | undefined): void => {
    if (RANK[level] < least) return;
    write(`${level} ${options.source} ${message}${fields === undefined ? '' : ` ${fieldsToText(fields)}`}`);
  };
  return {
    debug: (message, fields) => log('debug', message, fields),
    info: (message, fields) => log('info', message, fields),
    warn: (message, fields) => log('warn', message, fields),
    error: (message, fields) => log('error', message, fields),
  };
}

function levelFromEnvironment(): LogLevel {
  const level = process.env['SAGE_LOG_LEVEL'];
  return level !== undefined && Object.hasOwn(RANK, level) ? (level as LogLevel) : 'info';
}

/** A log line must never fail the job, whatever its fields hold. */
function fieldsToText(fields: LogFields): string {
  try {
    return JSON.stringify(fields, (_name, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value instanceof Error ? `${value.name}: ${value.message}` : value,
    );
  } catch {
    return '[fields cannot be written as JSON]';
  }
}
