import { stripVTControlCharacters } from 'node:util';

import { textColumns } from '../../common/text-columns.ts';

/** A terminal, as far as the block needs it. */
export type Terminal = Pick<NodeJS.WriteStream, 'write' | 'columns'>;

/** A terminal that does not say how wide it is says 0 or nothing. */
const UNKNOWN_COLUMNS = 80;

/**
 * Lines at the end of a terminal that are drawn over and over. What others write to the same terminal meanwhile stands above
 * the block. The cursor is always at the start of the line below it and never hidden, so that nothing is left to restore
 * however the process ends.
 */
export class LiveBlock {
  readonly #terminal: Terminal;
  readonly #write: NodeJS.WriteStream['write'];
  readonly #restore: (() => void)[] = [];
  #lines: readonly string[] = [];
  /** Somebody has begun a line and not ended it. */
  #isWithinLine = false;

  /** @param written all streams that lead to the terminal. */
  constructor(terminal: Terminal, written: readonly Pick<NodeJS.WriteStream, 'write'>[]) {
    this.#terminal = terminal;
    this.#write = terminal.write.bind(terminal) as NodeJS.WriteStream['write'];
    for (const stream of new Set(written)) this.#giveWayTo(stream);
  }

  /** Draws these lines in place of the last ones. Waits for the end of a line that somebody else has begun. */
  show(lines: readonly string[]): void {
    if (this.#isWithinLine) return;
    // One write, so that the terminal never shows half of it.
    this.#write(`${this.#back()}${lines.map((line) => `${line}\n`).join('')}`);
    this.#lines = lines;
  }

  /** Takes the block off the terminal; the next `show` draws it again. */
  clear(): void {
    const back = this.#back();
    if (back !== '') this.#write(back);
    this.#lines = [];
  }

  /** Takes the block off, and lets others write as they did before. */
  close(): void {
    this.clear();
    for (const restore of this.#restore.splice(0)) restore();
  }

  /** Back to where the block began, with nothing behind it. A terminal that has become narrower has wrapped the lines. */
  #back(): string {
    const columns = this.#terminal.columns || UNKNOWN_COLUMNS;
    const rows = this.#lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(textColumns(stripVTControlCharacters(line)) / columns)), 0);
    return rows === 0 ? '' : `\u001B[${rows}A\r\u001B[J`;
  }

  #giveWayTo(stream: Pick<NodeJS.WriteStream, 'write'>): void {
    const own = Object.getOwnPropertyDescriptor(stream, 'write');
    const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
    const replaced = ((...args: unknown[]) => {
      this.clear();
      const [chunk] = args;
      const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk as Uint8Array).toString('latin1');
      if (text !== '') this.#isWithinLine = !text.endsWith('\n');
      return write(...args);
    }) as NodeJS.WriteStream['write'];
    stream.write = replaced;
    this.#restore.push(() => {
      // Somebody else may have come later, and goes on to call ours.
      if (stream.write !== replaced) return;
      if (own === undefined) delete (stream as { write?: unknown }).write;
      else Object.defineProperty(stream, 'write', own);
    });
  }
}
