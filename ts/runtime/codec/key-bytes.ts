import { SageError } from '../../common/errors.ts';
import { GrowableBytes } from './growable-bytes.ts';

const TAG_NULL = 0;
const TAG_UNDEFINED = 1;
const TAG_FALSE = 2;
const TAG_TRUE = 3;
const TAG_NUMBER = 4;
const TAG_STRING = 5;
const TAG_BIGINT = 6;
const TAG_DATE = 7;
const TAG_ARRAY = 8;
const TAG_OBJECT = 9;
const MAX_DEPTH = 64;

/** Longest text that is written byte by byte. */
const SHORT = 32;

/** Writes keys as canonical bytes: `docs/internals/data-path.md`, section 4. */
export class KeyBytesWriter {
  readonly #out: GrowableBytes;

  /** @param out where keys are appended */
  constructor(out: GrowableBytes = new GrowableBytes()) {
    this.#out = out;
  }

  get length(): number {
    return this.#out.length;
  }

  bytes(): Uint8Array {
    return this.#out.buffer.subarray(0, this.#out.length);
  }

  reset(): void {
    this.#out.length = 0;
  }

  truncate(length: number): void {
    this.#out.length = length;
  }

  /**
   * Appends one key and returns the length afterwards.
   *
   * @throws SageError SAGE_KEY_UNSUPPORTED for functions, symbols, Map, Set, cycles and other values without an order.
   */
  write(key: unknown): number {
    const start = this.#out.length;
    try {
      this.#key(key, 0);
    } catch (error) {
      this.#out.length = start;
      throw error;
    }
    return this.#out.length;
  }

  #number(tag: number, value: number): void {
    this.#out.u8(tag);
    if (value !== value) {
      this.#out.u32(0);
      this.#out.u32(0x7ff80000);
    } else {
      this.#out.f64(value === 0 ? 0 : value);
    }
  }

  #text(text: string): void {
    const out = this.#out;
    if (text.length <= SHORT && this.#ascii(text)) return;
    if (text.isWellFormed()) {
      out.reserve(text.length * 3);
      out.length += out.buffer.write(text, out.length, 'utf8');
      return;
    }
    for (const unit of text) writeWtf8(out, unit.codePointAt(0)!);
  }

  /** Writes a short text that is all ASCII, faster than by leaving JavaScript; whether it is. */
  #ascii(text: string): boolean {
    const out = this.#out;
    out.reserve(text.length);
    const { buffer, length } = out;
    for (let n = 0; n < text.length; n++) {
      const unit = text.charCodeAt(n);
      if (unit > 0x7f) return false;
      buffer[length + n] = unit;
    }
    out.length = length + text.length;
    return true;
  }

  /** Writes a part with its length before it. */
  #sized(write: () => void): void {
    const at = this.#out.length;
    this.#out.u32(0);
    write();
    this.#out.view.setUint32(at, this.#out.length - at - 4, true);
  }

  #key(key: unknown, depth: number): void {
    const out = this.#out;
    switch (typeof key) {
      case 'undefined':
        out.u8(TAG_UNDEFINED);
        return;
      case 'boolean':
        out.u8(key ? TAG_TRUE : TAG_FALSE);
        return;
      case 'number':
        this.#number(TAG_NUMBER, key);
        return;
      case 'string':
        out.u8(TAG_STRING);
        this.#text(key);
        return;
      case 'bigint':
        out.u8(TAG_BIGINT);
        this.#text(key.toString());
        return;
      case 'object':
        if (key === null) out.u8(TAG_NULL);
        else this.#object(key, depth);
        return;
      default:
        throw unsupportedKey(`a ${typeof key}`);
    }
  }

  #object(key: object, depth: number): void {
    const out = this.#out;
    if (depth > MAX_DEPTH) throw unsupportedKey('nested too deeply (or a cycle)');
    if (key instanceof Date) {
      this.#number(TAG_DATE, key.getTime());
      return;
    }
    if (Array.isArray(key)) {
      out.u8(TAG_ARRAY);
      out.u32(key.length);
      for (let n = 0; n < key.length; n++) this.#sized(() => this.#key(key[n], depth + 1));
      return;
    }
    const tag = Object.prototype.toString.call(key);
    if (tag !== '[object Object]') throw unsupportedKey(tag.slice('[object '.length, -1));
    // The default order of sort() is by UTF-16 units, as the format asks.
    const names = Object.keys(key).sort();
    out.u8(TAG_OBJECT);
    out.u32(names.length);
    for (const name of names) {
      this.#sized(() => this.#text(name));
      this.#sized(() => this.#key((key as Record<string, unknown>)[name], depth + 1));
    }
  }
}

function unsupportedKey(what: string): SageError {
  return new SageError('SAGE_KEY_UNSUPPORTED', `a key must be a primitive, a Date, or an array or plain object of such; it is ${what}`);
}

function writeWtf8(out: GrowableBytes, point: number): void {
  out.reserve(4);
  const put = (byte: number): void => {
    out.buffer[out.length++] = byte;
  };
  if (point < 0x80) put(point);
  else if (point < 0x800) {
    put(0xc0 | (point >> 6));
    put(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    put(0xe0 | (point >> 12));
    put(0x80 | ((point >> 6) & 0x3f));
    put(0x80 | (point & 0x3f));
  } else {
    put(0xf0 | (point >> 18));
    put(0x80 | ((point >> 12) & 0x3f));
    put(0x80 | ((point >> 6) & 0x3f));
    put(0x80 | (point & 0x3f));
  }
}

/** The key that canonical bytes stand for. Objects come back as plain objects with their fields in sorted order. */
export function readKey(bytes: Buffer, start: number, end: number): unknown {
  const tag = bytes[start];
  const body = start + 1;
  switch (tag) {
    case TAG_NULL:
      return null;
    case TAG_UNDEFINED:
      return undefined;
    case TAG_FALSE:
      return false;
    case TAG_TRUE:
      return true;
    case TAG_NUMBER:
      return bytes.readDoubleLE(body);
    case TAG_STRING:
      return readWtf8(bytes, body, end);
    case TAG_BIGINT:
      return BigInt(bytes.toString('latin1', body, end));
    case TAG_DATE:
      return new Date(bytes.readDoubleLE(body));
    case TAG_ARRAY: {
      const items: unknown[] = [];
      let at = body + 4;
      for (let count = bytes.readUInt32LE(body); count > 0; count--) {
        const length = bytes.readUInt32LE(at);
        items.push(readKey(bytes, at + 4, at + 4 + length));
        at += 4 + length;
      }
      return items;
    }
    case TAG_OBJECT: {
      const fields: [string, unknown][] = [];
      let at = body + 4;
      for (let count = bytes.readUInt32LE(body); count > 0; count--) {
        const nameLength = bytes.readUInt32LE(at);
        const name = readWtf8(bytes, at + 4, at + 4 + nameLength);
        at += 4 + nameLength;
        const length = bytes.readUInt32LE(at);
        fields.push([name, readKey(bytes, at + 4, at + 4 + length)]);
        at += 4 + length;
      }
      return Object.fromEntries(fields);
    }
    default:
      throw new RangeError(`unknown tag ${tag} in a key`);
  }
}

/** Decodes WTF-8; Node's decoder would replace the surrogates that stand alone. */
function readWtf8(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, end);
  if (!text.includes('�')) return text;
  let out = '';
  for (let at = start; at < end; ) {
    const b = bytes[at]!;
    const size = b < 0x80 ? 1 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : 4;
    if (size === 3) {
      const unit = ((b & 0x0f) << 12) | ((bytes[at + 1]! & 0x3f) << 6) | (bytes[at + 2]! & 0x3f);
      out += String.fromCharCode(unit);
    } else {
      out += bytes.toString('utf8', at, at + size);
    }
    at += size;
  }
  return out;
}
