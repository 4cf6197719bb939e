/** Levels of a log line, quiet last. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** The levels of lines. */
export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 };

let complained = false;

/** Whether lines of a level are written when `least` is the least severe one that is. */
export function isAtLeast(level: LogLevel, least: LogLevel): boolean {
  return RANK[level] >= RANK[least];
}

/** What `SAGE_LOG` says; `info` when it is not set. A level that does not exist is warned of once. */
export function logLevelFromEnvironment(): LogLevel {
  const level = process.env['SAGE_LOG'];
  if (level === undefined || level === '') return 'info';
  if (Object.hasOwn(RANK, level)) return level as LogLevel;
  if (!complained) process.emitWarning(`SAGE_LOG is ${JSON.stringify(level)}, and can be ${Object.keys(RANK).join(', ')}; info is used`, { type: 'SageWarning' });
  complained = true;
  return 'info';
}
