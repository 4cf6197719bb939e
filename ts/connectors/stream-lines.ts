import { isUtf8 } from 'node:buffer';

import { SageError } from '../common/errors.ts';
import { describeValue } from '../functions/check-user-function.ts';
import type { RecordIterator } from '../transformations/source-descriptor.ts';

/** How bytes become lines. */
export interface StreamLinesOptions {
  /** For messages: `StreamSource.jsonLines`. */
  readonly call: string;
  readonly invalidUtf8: 'error' | 'replace';
  readonly maxLineBytes: number;
  /** What a line becomes; `undefined` leaves it out. @param lineNumber from 1. */
  readonly parse: (line: string, lineNumber: number) => unknown;
}

const NEWLINE = 10;
const BYTE_ORDER_MARK = '\uFEFF';
const HIGH_SURROGATE_AT_END = /[\uD800-\uDBFF]$/;
const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/**
 * Takes chunks of bytes or text apart into lines, whatever the chunks are cut like. The lines of a chunk are given at once;
 * a promise is given where a chunk has to be awaited. What is held is one chunk and the unfinished line behind it.
 */
export class StreamLines implements RecordIterator {
  readonly #chunks: RecordIterator;
  readonly #options: StreamLinesOptions;
  #lines: readonly string[] = [];
  #at = 0;
  #lineNumber = 0;
  #lastRecord: unknown;
  /** The unfinished line, and how long it is. */
  #open: Buffer[] = [];
  #openBytes = 0;
  /** A text chunk may end between the two halves of a character. */
  #halfCharacter = '';
  #hasEnded = false;

  constructor(chunks: RecordIterator, options: StreamLinesOptions) {
    this.#chunks = chunks;
    this.#options = options;
  }

  next(): IteratorResult<unknown> | Promise<IteratorResult<unknown>> {
    for (;;) {
      while (this.#at < this.#lines.length) {
        const record = this.#options.parse(this.#lines[this.#at++]!, ++this.#lineNumber);
        if (record === undefined) continue;
        this.#lastRecord = record;
        return { done: false, value: record };
      }
      if (this.#hasEnded) return DONE;
      const chunk = this.#chunks.next();
      if ('then' in chunk) return this.#after(chunk);
      this.#take(chunk);
    }
  }

  /** Line of the record that was given last; nothing for any other, such as a copy behind an exchange. */
  lineOf(record: unknown): number | undefined {
    // Primitives have no identity: an equal one may be another line's.
    return typeof record === 'object' && record !== null && record === this.#lastRecord ? this.#lineNumber : undefined;
  }

  return(): unknown {
    return this.#chunks.return?.();
  }

  async #after(chunk: PromiseLike<IteratorResult<unknown>>): Promise<IteratorResult<unknown>> {
    this.#take(await chunk);
    return this.next();
  }

  #take(chunk: IteratorResult<unknown>): void {
    this.#lines = [];
    this.#at = 0;
    if (chunk.done === true) {
      this.#hasEnded = true;
      if (this.#halfCharacter !== '') this.#append(Buffer.from(this.#halfCharacter));
      if (this.#openBytes > 0) this.#lines = this.#split(this.#takeOpen());
      return;
    }
    const bytes = this.#bytes(chunk.value);
    const end = bytes.lastIndexOf(NEWLINE);
    // What is kept is a copy: a stream may use the memory of its chunk again.
    if (end < 0) {
      this.#append(Buffer.from(bytes));
      return;
    }
    this.#append(bytes.subarray(0, end));
    this.#lines = this.#split(this.#takeOpen());
    if (end + 1 < bytes.length) this.#append(Buffer.from(bytes.subarray(end + 1)));
  }

  #bytes(chunk: unknown): Buffer {
    if (typeof chunk === 'string') {
      const text = this.#halfCharacter + chunk;
      this.#halfCharacter = HIGH_SURROGATE_AT_END.exec(text)?.[0] ?? '';
      return Buffer.from(this.#halfCharacter === '' ? text : text.slice(0, -1));
    }
    if (chunk instanceof Uint8Array) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    throw new SageError('SAGE_USER_WRONG_TYPE', `${this.#options.call} was given a stream with ${describeValue(chunk)} in it`, {
      help: 'Give a stream of bytes (Buffer, Uint8Array) or text; a stream of records goes into fromSource as it is.',
    });
  }

  #append(bytes: Buffer): void {
    this.#open.push(bytes);
    this.#openBytes += bytes.length;
    // Lines before the last one are looked at when they are taken apart.
    if (this.#openBytes > this.#options.maxLineBytes && bytes.indexOf(NEWLINE) < 0) this.#checkLength(this.#openBytes, this.#lineNumber + this.#lines.length + 1);
  }

  #takeOpen(): Buffer {
    const bytes = this.#open.length === 1 ? this.#open[0]! : Buffer.concat(this.#open, this.#openBytes);
    this.#open = [];
    this.#openBytes = 0;
    return bytes;
  }

  /** Lines of whole lines; the last one has no line end. */
  #split(bytes: Buffer): string[] {
    if (this.#options.invalidUtf8 === 'error' && !isUtf8(bytes)) throw this.#notUtf8(bytes);
    let text = bytes.toString('utf8');
    if (this.#lineNumber === 0 && text.startsWith(BYTE_ORDER_MARK)) text = text.slice(1);
    const lines = text.split('\n');
    const hasReturns = text.includes('\r');
    for (let n = 0; n < lines.length; n++) {
      const line = lines[n]!;
      if (hasReturns && line.endsWith('\r')) lines[n] = line.slice(0, -1);
      if (bytes.length > this.#options.maxLineBytes) this.#checkLength(Buffer.byteLength(line), this.#lineNumber + n + 1);
    }
    return lines;
  }

  #checkLength(bytes: number, line: number): void {
    const { call, maxLineBytes } = this.#options;
    if (bytes <= maxLineBytes) return;
    throw new SageError('SAGE_FORMAT_RECORD', `line ${line} of the stream that ${call} reads is longer than ${maxLineBytes} bytes`, {
      context: { line },
      help: 'Set maxLineBytes if lines may be that long; a file without line ends is no file of lines.',
    });
  }

  #notUtf8(bytes: Buffer): SageError {
    let line = this.#lineNumber + 1;
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0 && isUtf8(bytes.subarray(start, end)); end = bytes.indexOf(NEWLINE, start)) {
      line++;
      start = end + 1;
    }
    return new SageError('SAGE_FORMAT_UTF8', `line ${line} of the stream that ${this.#options.call} reads is not UTF-8`, {
      context: { line },
      help: "Convert the text to UTF-8, or set invalidUtf8: 'replace'.",
    });
  }
}
