import type { SourceLocation } from './source-location.ts';
import { sourceLines } from './source-text.ts';

/** How much of the source a frame shows. */
export interface CodeFrameOptions {
  /** Lines in front of the one that is meant; 2 when left away. */
  readonly linesBefore?: number;
  /** Lines behind it; 1 when left away. */
  readonly linesAfter?: number;
}

/** Lines of bundles may have megabytes: of longer ones the part around the column is shown. */
const MOST_CHARACTERS = 160;
/** What is shown of a long line in front of a column that would be beyond that. */
const CHARACTERS_BEFORE = 60;
const CHARACTERS_BEHIND = 20;

/** What a call begins with, as the engine gives its column: the name of a method, or `new` with a class. */
const CALLED = /^(?:new\s+[\w$.]+|[\w$]+)/;

/**
 * The source around a place, with carets below what was called there; empty when the source cannot be read.
 *
 * ```text
 *     10 | env
 *     11 |   .fromCollection([1, 2])
 *   > 12 |   .map(3)
 *        |    ^^^
 *     13 |   .print();
 * ```
 */
export function codeFrame({ file, line, column }: SourceLocation, options: CodeFrameOptions = {}): string {
  if (line === 0) return '';
  const lines = sourceLines(file);
  const culprit = lines?.[line - 1];
  // A file that was changed since may have no such place any more.
  if (lines === undefined || culprit === undefined || column > culprit.length + 1) return '';
  const { linesBefore = 2, linesAfter = 1 } = options;
  const last = Math.min(lines.length, line + linesAfter);
  const width = String(last).length;
  const start = column > MOST_CHARACTERS - CHARACTERS_BEHIND ? column - 1 - CHARACTERS_BEFORE : 0;
  const text: string[] = [];
  for (let n = Math.max(1, line - linesBefore); n <= last; n++) {
    // The end of a file is no line.
    if (n === lines.length && lines[n - 1] === '' && n !== line) continue;
    text.push(`  ${n === line ? '>' : ' '} ${String(n).padStart(width)} | ${excerpt(lines[n - 1]!, start)}`.trimEnd());
    if (n === line) text.push(`    ${' '.repeat(width)} | ${carets(culprit, column, start)}`);
  }
  return text.join('\n');
}

function carets(line: string, column: number, start: number): string {
  const shown = excerpt(line, start);
  const at = column - 1 - start + (start > 0 ? 1 : 0);
  // Tabs are kept, so that the caret stands below its character at any tab width.
  const indent = shown.slice(0, Math.max(0, at)).replaceAll(/[^\t]/g, ' ');
  const length = Math.min(CALLED.exec(line.slice(column - 1))?.[0].length ?? 1, Math.max(1, shown.length - at));
  return `${indent}${'^'.repeat(length)}`;
}

function excerpt(line: string, start: number): string {
  const end = start + MOST_CHARACTERS;
  return `${start > 0 ? '…' : ''}${line.slice(start, end)}${end < line.length ? '…' : ''}`;
}
