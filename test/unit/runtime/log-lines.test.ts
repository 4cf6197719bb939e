import { format, stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { SageError } from '../../../ts/common/errors.ts';
import { entryLogger, type LogEntry, type Logger } from '../../../ts/functions/logger.ts';
import { humanLine, jsonLine } from '../../../ts/runtime/logging/log-lines.ts';
import { type LogStream, StderrLog } from '../../../ts/runtime/logging/stderr-log.ts';

const place = { job: 'totals', jobId: '42', operator: 'parse', instance: 1 };
const timeMs = new Date(2026, 0, 2, 3, 4, 5, 6).getTime();
const entry = (parts: Partial<LogEntry> = {}): LogEntry => ({ level: 'info', timeMs, bindings: place, fields: {}, message: 'hello', ...parts });

/** What a logger makes of its arguments. */
function entriesOf(use: (logger: Logger) => void): readonly LogEntry[] {
  const entries: LogEntry[] = [];
  use(entryLogger({ bindings: { a: 1 }, isEnabled: () => true, write: (written) => entries.push(written) }));
  return entries;
}

test('the forms of a call: a message, values in it, fields, fields and values, an error', () => {
  const cause = new Error('broken');
  const entries = entriesOf((logger) => {
    logger.info('plain 100%');
    logger.info('%s has %d', 'Ada', 3, { more: true });
    logger.warn({ n: 1 });
    logger.warn({ n: 1 }, 'with %j', [2]);
    logger.error(cause);
    logger.error(cause, 'cannot go on');
    logger.error({ err: cause }, undefined);
  });

  expect(entries.map(({ message }) => message)).toEqual([
    'plain 100%',
    format('%s has %d', 'Ada', 3, { more: true }),
    '',
    format('with %j', [2]),
    'broken',
    'cannot go on',
    '',
  ]);
  expect(entries.map(({ fields }) => fields)).toEqual([{}, {}, { n: 1 }, { n: 1 }, { err: cause }, { err: cause }, { err: cause }]);
});

test('a child adds to what its parent says, and leaves the parent as it was', () => {
  const entries = entriesOf((logger) => {
    logger.child({ b: 2 }).child({ a: 3 }).info('x');
    logger.info('y');
  });

  expect(entries.map(({ bindings }) => bindings)).toEqual([{ a: 3, b: 2 }, { a: 1 }]);
});

test('a JSON line is one line with time, place, message and fields', () => {
  const line = jsonLine(entry({ fields: { n: 1, text: 'a\nb', big: 2n, none: undefined } }));

  expect(line).not.toContain('\n');
  expect(JSON.parse(line)).toEqual({ level: 'info', time: new Date(timeMs).toISOString(), ...place, msg: 'hello', n: 1, text: 'a\nb', big: '2' });
});

test('fields with names of ours are not lost and do not forge the place', () => {
  const line = jsonLine(entry({ fields: { job: 'mine', time: 3, other: true } }));

  expect(JSON.parse(line)).toMatchObject({ job: 'totals', other: true, fields: { job: 'mine', time: 3 } });
});

test('a line for people', () => {
  expect(humanLine(entry({ fields: { n: 1, who: 'Ada' } }), false)).toBe("03:04:05.006 INFO  totals/parse[1] hello { n: 1, who: 'Ada' }");
  expect(humanLine(entry({ level: 'error', message: '', bindings: { job: 'totals', jobId: '42' } }), false)).toBe('03:04:05.006 ERROR totals');
});

test('what belongs to a line is indented below it: more lines of a message, and errors', () => {
  const err = new SageError('SAGE_IO_READ', 'cannot read', { cause: new RangeError('deep') });

  const lines = humanLine(entry({ message: 'one\n03:04:05.006 ERROR forged', fields: { err } }), false).split('\n');

  expect(lines.slice(1).filter((line) => !line.startsWith('    '))).toEqual([]);
  expect(lines.join('\n')).toMatch(/err: SAGE_IO_READ: cannot read\n[^]*cause: RangeError: deep/);
});

test('colours change nothing but colours', () => {
  const full = entry({ level: 'warn', fields: { n: 1, err: new SageError('SAGE_IO_READ', 'cannot read') } });

  expect(humanLine(full, true)).toContain('\u001B[33m');
  expect(stripVTControlCharacters(humanLine(full, true))).toBe(humanLine(full, false));
});

/** A stream whose reader the test is. */
class Pipe implements LogStream {
  readonly isTTY: boolean;
  readonly written: string[] = [];
  writableLength = 0;
  readonly #drained: (() => void)[] = [];

  readonly #colours: boolean;

  constructor(isTTY: boolean, colours = false) {
    this.isTTY = isTTY;
    this.#colours = colours;
  }

  hasColors(): boolean {
    return this.#colours;
  }

  write(text: string): boolean {
    this.written.push(text);
    this.writableLength += text.length;
    return true;
  }

  once(_: 'drain', listener: () => void): void {
    this.#drained.push(listener);
  }

  readAll(): void {
    this.writableLength = 0;
    for (const listener of this.#drained.splice(0)) listener();
  }
}

test('JSON where standard error is no terminal, for people where it is one, in colours where it has them', () => {
  const [pipe, terminal, colours] = [new Pipe(false), new Pipe(true), new Pipe(true, true)];

  for (const stream of [pipe, terminal, colours]) new StderrLog(stream).write(entry());

  expect(pipe.written).toEqual([`${jsonLine(entry())}\n`]);
  expect(terminal.written).toEqual([`${humanLine(entry(), false)}\n`]);
  expect(colours.written).toEqual([`${humanLine(entry(), true)}\n`]);
});

test('what waits in a pipe that nobody reads is bounded, and a line says how many were dropped', () => {
  const pipe = new Pipe(false);
  const log = new StderrLog(pipe);
  const text = 'x'.repeat(9_000);
  let writes = 0;
  for (; writes < 2_000; writes++) log.write(entry({ message: text }));

  expect(pipe.writableLength).toBeLessThan(9 * 2 ** 20);
  const written = pipe.written.length;
  pipe.readAll();

  expect(written).toBeLessThan(writes);
  expect(JSON.parse(pipe.written.at(-1)!)).toMatchObject({ level: 'warn', job: 'totals', dropped: writes - written });
});
