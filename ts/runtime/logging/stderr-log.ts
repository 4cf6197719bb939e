import type { LogEntry } from '../../functions/logger.ts';
import { humanLine, jsonLine } from './log-lines.ts';

/** What standard error, or what stands for it, has to have. */
export interface LogStream {
  readonly isTTY?: boolean;
  readonly writableLength: number;
  hasColors?(): boolean;
  write(text: string): boolean;
  once(event: 'drain', listener: () => void): unknown;
}

/** What may wait in the stream while nobody reads it. */
const MOST_WAITING_CHARACTERS = 8 * 2 ** 20;

/** Writes lines to standard error: for people on a terminal, as JSON elsewhere. */
export class StderrLog {
  readonly #stream: LogStream;
  /** Lines that were dropped since the last one that was written. */
  #dropped = 0;

  constructor(stream: LogStream = process.stderr) {
    this.#stream = stream;
  }

  write(entry: LogEntry): void {
    if (this.#stream.writableLength > MOST_WAITING_CHARACTERS) {
      this.#drop(entry);
      return;
    }
    const { isTTY } = this.#stream;
    this.#stream.write(`${isTTY === true ? humanLine(entry, this.#stream.hasColors?.() === true) : jsonLine(entry)}\n`);
  }

  #drop(entry: LogEntry): void {
    if (this.#dropped++ > 0) return;
    this.#stream.once('drain', () => {
      const dropped = this.#dropped;
      this.#dropped = 0;
      this.write(droppedEntry(dropped, { job: entry.bindings['job'], jobId: entry.bindings['jobId'] }));
    });
  }
}

/** The line that stands for lines that were dropped. */
export function droppedEntry(dropped: number, bindings: LogEntry['bindings']): LogEntry {
  const message = `${dropped} log lines were dropped: they came faster than they could be written`;
  return { level: 'warn', timeMs: Date.now(), bindings, fields: { dropped }, message };
}
