import { styleText } from 'node:util';

import { boundedText } from './bounded-text.ts';
import { errorPagePath } from './error-page.ts';
import type { SageError } from './errors.ts';
import { usersFrames } from './own-frames.ts';
import { placeText } from './plan-error-text.ts';
import { shortened } from './plain-value.ts';
import { formatSourceLocation } from './source-location.ts';

/** How a report is written. */
export interface ErrorReportOptions {
  /** Whether it goes to a terminal that has colours; false when left away. */
  readonly colors?: boolean;
}

/** Chains of causes may be endless. */
const MOST_CAUSES = 8;
const MOST_MESSAGE_CHARACTERS = 10_000;
/** Parts of the context that say nothing to people, or are said elsewhere. */
const UNSAID: ReadonlySet<string> = new Set(['operator', 'task']);

/**
 * All that is known of an error, for people: code and message, the operator and where the user declared it, the record, the
 * fix, and the causes with the frames of the user's code.
 */
export function errorReport(error: SageError, options: ErrorReportOptions = {}): string {
  const text = reportLines(error, 0).join('\n');
  return options.colors === true ? text.split('\n').map(coloured).join('\n') : text;
}

function reportLines(error: SageError, depth: number): string[] {
  const { code, declaredAt, operator, related, help, context } = error;
  const message = shortened(String(error.message), MOST_MESSAGE_CHARACTERS);
  const lines = [`${code}: ${message}`];
  // A plan error has the place, the fix and the page in its message.
  if (declaredAt !== undefined && !message.includes(formatSourceLocation(declaredAt))) {
    lines.push(...placeText(operator === undefined ? 'at' : `operator '${operator}' at`, declaredAt));
    for (const place of related ?? []) lines.push(...placeText(`${place.what}:`, place.declaredAt, { linesBefore: 0, linesAfter: 0 }));
  } else if (declaredAt === undefined && operator !== undefined && !message.includes(`'${operator}'`)) {
    lines.push(`  operator: ${operator}`);
  }
  const unsaid = Object.entries(context).filter(([name, value]) => !UNSAID.has(name) && !message.includes(String(value)));
  if (unsaid.length > 0) lines.push(`  context: ${unsaid.map(([name, value]) => `${name} ${value}`).join(', ')}`);
  if ('record' in error) lines.push(`  record: ${indented(boundedText(error.record))}`);
  if (!message.includes(help)) lines.push(`  help: ${indented(help)}`);
  if (!message.includes(errorPagePath(code))) lines.push(`  see: sage-kernel/${errorPagePath(code)}`);
  if (error.cause !== undefined) lines.push(`  cause: ${indented(causeLines(error.cause, depth + 1).join('\n'))}`);
  return lines;
}

/** With the user's frames only: below them is how we came to call the function. */
function causeLines(cause: unknown, depth: number): string[] {
  if (depth > MOST_CAUSES) return ['...'];
  // The operating system's words come from the core as a text.
  if (typeof cause === 'string') return [shortened(cause, MOST_MESSAGE_CHARACTERS)];
  if (!(cause instanceof Error)) return [boundedText(cause)];
  if (isReportable(cause)) return reportLines(cause, depth);
  const lines = [shortened(usersFrames(stackOf(cause)), MOST_MESSAGE_CHARACTERS)];
  const own = ownFields(cause);
  if (own !== undefined) lines.push(`  ${indented(own)}`);
  if (cause instanceof AggregateError) {
    for (const part of cause.errors.slice(0, MOST_CAUSES)) lines.push(`  error: ${indented(causeLines(part, depth + 1).join('\n'))}`);
    if (cause.errors.length > MOST_CAUSES) lines.push(`  ... ${cause.errors.length - MOST_CAUSES} more errors`);
  }
  if (cause.cause !== undefined) lines.push(`  cause: ${indented(causeLines(cause.cause, depth + 1).join('\n'))}`);
  return lines;
}

/** Not `instanceof`: the class imports this module to print itself, and an error may be of another copy of the package. */
function isReportable(error: Error): error is SageError {
  return error.name === 'SageError' && 'code' in error && 'context' in error && 'help' in error;
}

/** What user code has set on an error, such as `code` and `errno`. */
function ownFields(error: Error): string | undefined {
  const names = Object.keys(error).filter((name) => !['name', 'message', 'stack', 'cause', 'errors'].includes(name));
  if (names.length === 0) return undefined;
  return boundedText(Object.defineProperties({}, Object.fromEntries(names.map((name) => [name, Object.getOwnPropertyDescriptor(error, name)!]))));
}

/** The stack is made of name and message when it is first read, and user code can set all three to anything. */
function stackOf(error: Error): string {
  try {
    const { stack } = error as { stack?: unknown };
    return typeof stack === 'string' && stack !== '' ? stack : `${String(error.name)}: ${boundedText(error.message)}`;
  } catch {
    return '[an error without a stack]';
  }
}

function indented(text: string): string {
  return text.replaceAll('\n', '\n  ');
}

/** Forced, as the caller knows where the line goes. */
function style(format: Parameters<typeof styleText>[0], text: string): string {
  return styleText(format, text, { validateStream: false });
}

function coloured(line: string, n: number): string {
  if (n === 0) return line.replace(/^(SAGE_\w+)(: )(.*)$/, (_, code: string, colon: string, rest: string) => `${style(['red', 'bold'], code)}${colon}${style('bold', rest)}`);
  if (/^ {4,}at /.test(line)) return style('gray', line);
  const caret = /^(\s+\|\s*)(\^+)$/.exec(line);
  if (caret !== null) return `${style('gray', caret[1]!)}${style(['red', 'bold'], caret[2]!)}`;
  const source = /^(\s+(>?)\s*\d+ \|)( ?.*)$/.exec(line);
  if (source !== null) return `${style(source[2] === '>' ? 'red' : 'gray', source[1]!)}${source[3]!}`;
  return line.replace(/^(\s+)(expected|found|fix|help|see|record|context|cause|error|operator):/, (_, indent: string, label: string) => `${indent}${style(label === 'fix' || label === 'help' ? 'green' : 'cyan', `${label}:`)}`);
}
