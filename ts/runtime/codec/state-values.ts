import { GrowableBytes } from './growable-bytes.ts';
import { ValueReader } from './value-reader.ts';
import { type ShapeRegistry } from './value-tokens.ts';
import { ValueWriter } from './value-writer.ts';

/** How the text of a value is stored. */
const NO_TEXT = 0;
const LATIN1 = 1;
const UTF16 = 2;
/** The kind of text, and for values with text how long their tokens are. */
const HEAD_BYTES = 1;
const LENGTH_BYTES = 4;

/** Texts up to here are written faster without leaving JavaScript. */
const SHORT = 48;

/** Writes values of states one behind the other: `docs/internals/data-path.md`, section 7. */
export class StateValuesWriter {
  readonly #values: ValueWriter;
  readonly #out = new GrowableBytes();

  constructor(registry: ShapeRegistry) {
    this.#values = new ValueWriter(registry);
  }

  /** Appends a value; where it ends. @throws SageError SAGE_CODEC_UNCLONEABLE */
  write(value: unknown): number {
    const values = this.#values;
    values.reset();
    values.write(value);
    const out = this.#out;
    const tokens = values.tokens();
    const { pool } = values;
    if (pool === '') {
      out.u8(NO_TEXT);
      out.bytes(tokens);
      return out.length;
    }
    if (pool.length <= SHORT && isAllLatin1(pool)) {
      out.u8(LATIN1);
      out.u32(tokens.length);
      out.bytes(tokens);
      out.reserve(pool.length);
      for (let n = 0; n < pool.length; n++) out.buffer[out.length++] = pool.charCodeAt(n);
      return out.length;
    }
    const isLatin1 = isAllLatin1(pool);
    out.u8(isLatin1 ? LATIN1 : UTF16);
    out.u32(tokens.length);
    out.bytes(tokens);
    const bytes = isLatin1 ? pool.length : pool.length * 2;
    out.reserve(bytes);
    out.length += out.buffer.write(pool, out.length, isLatin1 ? 'latin1' : 'utf16le');
    return out.length;
  }

  /** Appends a byte, and a value behind it; where it ends. @throws SageError SAGE_CODEC_UNCLONEABLE */
  writeBehind(head: number, value: unknown): number {
    this.#out.u8(head);
    return this.write(value);
  }

  /** What was written since the last `reset`, valid until the next write. */
  bytes(): Uint8Array {
    return this.#out.buffer.subarray(0, this.#out.length);
  }

  reset(): void {
    this.#out.length = 0;
  }
}

/** Reads values that `StateValuesWriter` has written. */
export class StateValuesReader {
  readonly #values: ValueReader;

  constructor(registry: ShapeRegistry) {
    this.#values = new ValueReader(registry);
  }

  /** The value between two bytes. @throws Error when it is none. */
  read(bytes: Buffer, start: number, end: number): unknown {
    const kind = bytes[start];
    if (kind === NO_TEXT) {
      this.#values.load(bytes.subarray(start + HEAD_BYTES, end), '');
      return this.#values.read(0, 0);
    }
    if (kind !== LATIN1 && kind !== UTF16) throw new RangeError(`a value of a state begins with ${kind}`);
    const from = start + HEAD_BYTES + LENGTH_BYTES;
    const textAt = from + bytes.readUInt32LE(start + HEAD_BYTES);
    if (textAt > end) throw new RangeError('a value of a state ends within its tokens');
    this.#values.load(bytes.subarray(from, textAt), bytes.toString(kind === LATIN1 ? 'latin1' : 'utf16le', textAt, end));
    return this.#values.read(0, 0);
  }
}

function isAllLatin1(text: string): boolean {
  for (let n = 0; n < text.length; n++) if (text.charCodeAt(n) > 0xff) return false;
  return true;
}
