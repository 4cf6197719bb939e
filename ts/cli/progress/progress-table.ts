import { styleText } from 'node:util';

import { shortenText, textColumns } from '../../common/text-columns.ts';
import { countText, durationText } from './count-text.ts';
import type { JobProgress, OperatorProgress, StageMark } from './job-sampler.ts';

/** The terminal that a table must fit into. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
  readonly hasColours: boolean;
}

interface Column {
  readonly title: string;
  readonly text: (operator: OperatorProgress) => string;
}

/** In the order in which they stand; those whose `dropped` is lower go first when the terminal is narrow. */
const COLUMNS: readonly (Column & { readonly width: number; readonly dropped: number })[] = [
  { title: 'inst', width: 5, dropped: 2, text: ({ instances }) => String(instances) },
  { title: 'in', width: 9, dropped: 1, text: ({ recordsIn }) => countText(recordsIn) },
  { title: 'out', width: 9, dropped: 0, text: ({ recordsOut }) => countText(recordsOut) },
  { title: 'rate/s', width: 9, dropped: 3, text: ({ recordsPerSecond }) => countText(recordsPerSecond) },
  { title: 'queue', width: 6, dropped: 4, text: ({ queueFill }) => (queueFill === undefined ? '' : `${Math.min(999, Math.round(queueFill * 100))}%`) },
];
const MARKS: Readonly<Record<NonNullable<StageMark>, readonly [text: string, colour: 'yellow' | 'gray']>> = {
  backpressure: ['[backpressure]', 'yellow'],
  idle: ['[idle]', 'gray'],
  done: ['[done]', 'gray'],
};
const MARK_WIDTH = 16;
const LEAST_NAME = 10;
const MOST_NAME = 40;

/**
 * Jobs with one line for each operator, as lines that a terminal shows without wrapping: narrow ones lose columns, then the
 * ends of names; low ones lose operators, which the last line counts.
 */
export function progressTable(jobs: readonly JobProgress[], { columns, rows, hasColours }: TerminalSize): string[] {
  const room = Math.max(1, columns - 1);
  const lines = jobs.flatMap((job) => [jobLine(job), ...operatorLines(job.operators, room, hasColours)].map((line) => cut(line, room)));
  // The line below the table is the cursor's.
  const most = Math.max(1, rows - 1);
  if (lines.length <= most) return lines;
  return [...lines.slice(0, most - 1), cut(`  ... and ${lines.length - most + 1} more lines`, room)];
}

/** A job in one line. */
export function jobLine({ name, status, elapsedMs, recordsIn, recordsOut, recordsPerSecond }: JobProgress): string {
  return `${printable(name)}: ${status} for ${durationText(elapsedMs)}, ${countText(recordsIn)} ${recordsIn === 1 ? 'record' : 'records'} in (${countText(recordsPerSecond)}/s), ${countText(recordsOut)} out`;
}

function operatorLines(operators: readonly OperatorProgress[], room: number, hasColours: boolean): string[] {
  const longest = Math.min(MOST_NAME, Math.max(...operators.map(({ name }) => textColumns(name)), LEAST_NAME));
  const shown = chooseColumns(room);
  const taken = shown.reduce((sum, { width }) => sum + width, 2 + MARK_WIDTH);
  const name = Math.min(longest, Math.max(LEAST_NAME, room - taken));
  const line = (first: string, texts: readonly string[], mark: string): string => {
    const text = shortenText(printable(first), name);
    return `  ${text}${' '.repeat(Math.max(0, name - textColumns(text)))}${texts.map((text, n) => text.padStart(shown[n]!.width)).join('')}${mark}`;
  };
  const dim = (text: string): string => (hasColours ? styleText('gray', text, { validateStream: false }) : text);
  return [
    dim(line('operator', shown.map(({ title }) => title), '')),
    ...operators.map((operator) => line(operator.name, shown.map(({ text }) => text(operator)), markText(operator.mark, hasColours))),
  ];
}

/** As many as have room beside the shortest name and a mark. */
function chooseColumns(room: number): readonly (typeof COLUMNS)[number][] {
  let shown = COLUMNS;
  const width = (): number => shown.reduce((sum, { width }) => sum + width, 2 + LEAST_NAME + MARK_WIDTH);
  while (shown.length > 0 && width() > room) {
    const first = Math.min(...shown.map(({ dropped }) => dropped));
    shown = shown.filter(({ dropped }) => dropped !== first);
  }
  return shown;
}

function markText(mark: StageMark, hasColours: boolean): string {
  if (mark === undefined) return '';
  const [text, colour] = MARKS[mark];
  return `  ${hasColours ? styleText(colour, text, { validateStream: false }) : text}`;
}

/** What terminals would take for commands is shown as a point. */
function printable(text: string): string {
  return text.replaceAll(/\p{C}/gu, '·');
}

/** Cuts a line to the columns of a terminal; the codes of colours take none. */
function cut(line: string, columns: number): string {
  // eslint-disable-next-line no-control-regex
  const plain = line.replaceAll(/\u001B\[\d+m/g, '');
  return textColumns(plain) <= columns ? line : shortenText(plain, columns);
}
