import { inspect, styleText } from 'node:util';

import { isSageError } from '../../common/errors.ts';
import { errorReport } from '../../common/error-report.ts';
import { plainValue, type PlainValue, shortened } from '../../common/plain-value.ts';
import type { LogLevel } from '../../functions/log-level.ts';
import type { LogEntry, LogFields } from '../../functions/logger.ts';
import { readableFields } from './readable-fields.ts';

const MOST_CHARACTERS = 10_000;
/** Names that every line has, so that a field of the user cannot have them at the top of a line. */
const OURS = ['level', 'time', 'job', 'jobId', 'operator', 'instance', 'msg'] as const;

/** One JSON object: `level`, `time` (ISO 8601), `job`, `jobId`, `operator`, `instance`, `msg`, and the fields. */
export function jsonLine({ level, timeMs, bindings, fields, message }: LogEntry): string {
  const { job, jobId, operator, instance, ...more } = plainFields(bindings);
  const said = plainFields(fields);
  const clashing = Object.fromEntries(Object.entries(said).filter(([name]) => (OURS as readonly string[]).includes(name)));
  const others = Object.fromEntries(Object.entries(said).filter(([name]) => !Object.hasOwn(clashing, name)));
  return JSON.stringify({
    level,
    time: new Date(timeMs).toISOString(),
    job,
    jobId,
    operator,
    instance,
    msg: shortened(message, MOST_CHARACTERS),
    ...more,
    ...others,
    ...(Object.keys(clashing).length === 0 ? {} : { fields: clashing }),
  });
}

const COLOURS = { debug: 'gray', info: 'cyan', warn: 'yellow', error: 'red', silent: 'gray' } as const satisfies Record<LogLevel, string>;

/** For people: time, level, where it comes from, message, fields; errors on lines of their own below. */
export function humanLine({ level, timeMs, bindings, fields, message }: LogEntry, colours: boolean): string {
  const { job, jobId: _, operator, instance, ...more } = bindings;
  const style = (format: Parameters<typeof styleText>[0], text: string): string => (colours ? styleText(format, text, { validateStream: false }) : text);
  const place = operator === undefined ? String(job) : `${String(job)}/${String(operator)}[${String(instance)}]`;
  const all = Object.entries({ ...more, ...readableFields(fields) });
  const errors = all.filter(([, value]) => value instanceof Error);
  const plain = plainFields(Object.fromEntries(all.filter(([, value]) => !(value instanceof Error))));
  const shown = Object.keys(plain).length === 0 ? [] : [inspect(plain, { depth: 8, breakLength: Infinity, compact: true, colors: colours })];
  const head = [style('gray', clockTime(timeMs)), style(COLOURS[level], level.toUpperCase().padEnd(5)), style('bold', place)];
  // The lines of a message belong to it: none may look like a line of its own.
  const line = [...head, ...(message === '' ? [] : [shortened(message, MOST_CHARACTERS)]), ...shown].join(' ').replaceAll('\n', '\n    ');
  return [line, ...errors.map(([name, error]) => `    ${name}: ${errorText(error as Error, colours).replaceAll('\n', '\n    ')}`)].join('\n');
}

/** The time of day here, to the millisecond. */
function clockTime(timeMs: number): string {
  const time = new Date(timeMs);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${String(time.getMilliseconds()).padStart(3, '0')}`;
}

function errorText(error: Error, colours: boolean): string {
  try {
    return isSageError(error) ? errorReport(error, { colors: colours }) : shortened(inspect(error, { depth: 4, colors: colours }), MOST_CHARACTERS);
  } catch {
    return '[an error that cannot be shown]';
  }
}

function plainFields(fields: LogFields): Readonly<Record<string, PlainValue>> {
  const plain = plainValue(fields);
  return typeof plain === 'object' && plain !== null && !Array.isArray(plain) ? (plain as Readonly<Record<string, PlainValue>>) : { fields: plain };
}
