import { Serializer } from 'node:v8';

import { canGenerateCode } from '../codec/can-generate-code.ts';
import { BytesTemplate } from '../codec/bytes-template.ts';
import { GrowableBytes } from '../codec/growable-bytes.ts';
import { uncloneable } from '../codec/value-writer.ts';
import { NotStorable, storedSize } from '../state/stored-size.ts';
import {
  TOKEN_ARRAY,
  TOKEN_BIGINT,
  TOKEN_DATE,
  TOKEN_F64,
  TOKEN_FALSE,
  TOKEN_HOLE,
  TOKEN_I32,
  TOKEN_NULL,
  TOKEN_OBJECT,
  TOKEN_SHORT_TEXT,
  TOKEN_TRUE,
  TOKEN_UNDEFINED,
  TOKEN_UTF16,
  TOKEN_UTF8,
  TOKEN_V8,
} from './saved-value-tokens.ts';

/** Texts up to here are written faster without leaving JavaScript. */
const SHORT = 48;
/** Texts from here on are measured before room is made for them: three times their length is too much. */
const LONG = 1 << 20;
/** Deeper values are left to V8's serialiser, which does not recurse on our stack. */
const MAX_DEPTH = 200;
/** Up to here a linear search for an object met before beats a Set. */
const LINEAR_SEEN = 16;
/** Lists of names that are kept encoded: what states hold has few, and objects used as maps have one each. */
const KEPT_SHAPES = 4;
/** Objects of a shape that are written before code is generated for it. */
const USES_BEFORE_CODE = 32;
const MAX_KEPT_FIELDS = 64;

const EXOTIC = Symbol('a value that only v8.serialize knows');

/** Objects with the same fields in the same order. */
interface Shape {
  readonly names: readonly string[];
  /** What stands before the values. */
  readonly head: BytesTemplate;
  uses: number;
  generated: GeneratedShape | undefined;
}

/** What V8 makes faster of names that stand in the code. */
interface GeneratedShape {
  /** As `hasNames`. */
  fits(value: object): boolean;
  /** Writes the value of each field. */
  write(value: object, write: (value: unknown, depth: number) => void, depth: number): void;
}

/**
 * Encodes values of the user for a checkpoint, each one by itself: the names of an object's fields travel with it, as another job reads it,
 * perhaps of several old instances at once. Takes what `storedSize` takes, and looks at each value only once.
 */
export class SavedValuesWriter {
  readonly #out: GrowableBytes;
  /** Objects of the value in hand, as many as `#seenCount` says: an array whose length is set for each value costs more than all the rest. */
  readonly #seen: object[] = [];
  #seenCount = 0;
  /** The same, once there are more than a few. */
  #seenMany: Set<object> | undefined;
  readonly #shapes: Shape[] = [];
  #nextShape = 0;
  readonly #write = (value: unknown, depth: number): void => this.#value(value, depth);

  /** @param out where `write` appends */
  constructor(out: GrowableBytes = new GrowableBytes()) {
    this.#out = out;
  }

  /** One value alone. Valid until the next call. @throws NotStorable, SageError SAGE_CODEC_UNCLONEABLE */
  encode(value: unknown): Uint8Array {
    this.#out.length = 0;
    this.write(value);
    this.forget();
    return this.#out.buffer.subarray(0, this.#out.length);
  }

  /** Appends a value, or nothing when it throws. @throws NotStorable for what would not come back as it is, SageError SAGE_CODEC_UNCLONEABLE */
  write(value: unknown): void {
    const start = this.#out.length;
    this.#seenCount = 0;
    if (this.#seenMany !== undefined) this.#seenMany = undefined;
    try {
      this.#value(value, 0);
    } catch (error) {
      this.#out.length = start;
      if (error !== EXOTIC) throw error;
      this.#serialize(value);
    }
  }

  /** Holds on to no value that it has written. */
  forget(): void {
    this.#seen.length = 0;
    this.#seenMany = undefined;
  }

  #serialize(value: unknown): void {
    storedSize(value);
    let bytes: Uint8Array;
    try {
      // Not `serialize`: reading what that has made of typed arrays gives views over our buffer instead of copies.
      const serializer = new Serializer();
      serializer.writeHeader();
      serializer.writeValue(value);
      bytes = serializer.releaseBuffer();
    } catch (error) {
      throw uncloneable(error, value);
    }
    this.#out.u8(TOKEN_V8);
    this.#out.u32(bytes.length);
    this.#out.bytes(bytes);
  }

  #value(value: unknown, depth: number): void {
    const out = this.#out;
    switch (typeof value) {
      case 'number':
        out.reserve(9);
        if ((value | 0) === value && (value !== 0 || 1 / value > 0)) {
          out.buffer[out.length] = TOKEN_I32;
          out.view.setInt32(out.length + 1, value, true);
          out.length += 5;
        } else {
          out.buffer[out.length] = TOKEN_F64;
          out.view.setFloat64(out.length + 1, value, true);
          out.length += 9;
        }
        return;
      case 'string':
        this.#text(value);
        return;
      case 'boolean':
        out.u8(value ? TOKEN_TRUE : TOKEN_FALSE);
        return;
      case 'undefined':
        out.u8(TOKEN_UNDEFINED);
        return;
      case 'bigint':
        out.u8(TOKEN_BIGINT);
        this.#text(value.toString());
        return;
      case 'object':
        if (value === null) out.u8(TOKEN_NULL);
        else this.#object(value, depth);
        return;
      default:
        throw new NotStorable(`a ${typeof value}`);
    }
  }

  #text(text: string): void {
    const out = this.#out;
    const { length } = text;
    if (length <= SHORT && this.#latin1(text)) return;
    if (text.isWellFormed()) {
      out.reserve(5 + (length < LONG ? 3 * length : Buffer.byteLength(text, 'utf8')));
      const bytes = out.buffer.write(text, out.length + 5, 'utf8');
      this.#textHead(TOKEN_UTF8, bytes);
    } else {
      out.reserve(5 + 2 * length);
      const bytes = out.buffer.write(text, out.length + 5, 'utf16le');
      this.#textHead(TOKEN_UTF16, bytes);
    }
  }

  #textHead(token: number, bytes: number): void {
    const out = this.#out;
    out.buffer[out.length] = token;
    out.view.setUint32(out.length + 1, bytes, true);
    out.length += 5 + bytes;
  }

  /** Writes a short text that is all Latin-1; whether it is. */
  #latin1(text: string): boolean {
    const out = this.#out;
    const { length } = text;
    out.reserve(2 + length);
    const { buffer } = out;
    const at = out.length + 2;
    for (let n = 0; n < length; n++) {
      const unit = text.charCodeAt(n);
      if (unit > 0xff) return false;
      buffer[at + n] = unit;
    }
    buffer[at - 2] = TOKEN_SHORT_TEXT;
    buffer[at - 1] = length;
    out.length = at + length;
    return true;
  }

  #object(value: object, depth: number): void {
    // What is there twice, or holds itself, is one object when it comes back.
    if (depth > MAX_DEPTH || this.#isSeen(value)) throw EXOTIC;
    const prototype = Object.getPrototypeOf(value) as object | null;
    if (prototype === Object.prototype) {
      if ((value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag] !== undefined) throw EXOTIC;
      const shape = this.#shapeOf(value as Record<string, unknown>);
      this.#out.template(shape.head);
      if (shape.generated !== undefined) {
        shape.generated.write(value, this.#write, depth + 1);
        return;
      }
      const { names } = shape;
      if (++shape.uses === USES_BEFORE_CODE && names.length <= MAX_KEPT_FIELDS && canGenerateCode()) shape.generated = generated(names);
      for (let n = 0; n < names.length; n++) this.#value((value as Record<string, unknown>)[names[n]!], depth + 1);
    } else if (prototype === Array.prototype && Array.isArray(value)) this.#array(value, depth);
    else if (prototype === Date.prototype && Object.prototype.toString.call(value) === '[object Date]') {
      this.#out.u8(TOKEN_DATE);
      this.#out.f64((value as Date).getTime());
    } else throw EXOTIC;
  }

  #array(value: readonly unknown[], depth: number): void {
    const out = this.#out;
    const { length } = value;
    const own = Object.keys(value);
    // Names on arrays survive a structured clone, but not this token; they come behind all indices.
    if (own.length > 0 && `${Number(own.at(-1)) >>> 0}` !== own.at(-1)) throw EXOTIC;
    // Of long arrays with holes V8 has a compact form.
    if (own.length < length && length > 1024) throw EXOTIC;
    out.u8(TOKEN_ARRAY);
    out.u32(length);
    for (let n = 0; n < length; n++) {
      const item = value[n];
      if (item === undefined && !(n in value)) out.u8(TOKEN_HOLE);
      else this.#value(item, depth + 1);
    }
  }

  #shapeOf(value: Record<string, unknown>): Shape {
    const shapes = this.#shapes;
    for (let n = 0; n < shapes.length; n++) {
      const shape = shapes[n]!;
      if (shape.generated === undefined ? hasNames(value, shape.names) : shape.generated.fits(value)) return shape;
    }
    const names = Object.keys(value);
    const json = Buffer.from(JSON.stringify(names), 'utf8');
    const head = Buffer.alloc(5 + json.length);
    head[0] = TOKEN_OBJECT;
    head.writeUInt32LE(json.length, 1);
    head.set(json, 5);
    const shape: Shape = { names, head: new BytesTemplate(head), uses: 0, generated: undefined };
    if (names.length <= MAX_KEPT_FIELDS) {
      shapes[this.#nextShape] = shape;
      this.#nextShape = (this.#nextShape + 1) % KEPT_SHAPES;
    }
    return shape;
  }

  /** Whether an object was met before in this value; notes it. */
  #isSeen(value: object): boolean {
    const seen = this.#seen;
    const count = this.#seenCount;
    if (count > LINEAR_SEEN) {
      const many = this.#seenMany!;
      if (many.has(value)) return true;
      many.add(value);
      return false;
    }
    for (let n = 0; n < count; n++) if (seen[n] === value) return true;
    seen[count] = value;
    this.#seenCount = count + 1;
    if (count === LINEAR_SEEN) this.#seenMany = new Set(seen);
    return false;
  }
}

/** Whether these are the fields of an object, in this order. */
function hasNames(value: object, names: readonly string[]): boolean {
  let n = 0;
  for (const name in value) if (name !== names[n++]) return false;
  return n === names.length;
}

function generated(names: readonly string[]): GeneratedShape {
  const cases = names.map((name, n) => `case ${n}: if (name !== ${JSON.stringify(name)}) return false; break;`);
  const writes = names.map((name) => `write(value[${JSON.stringify(name)}], depth);`);
  return new Function(`return {
    fits(value) {
      let n = 0;
      for (const name in value) switch (n++) { ${cases.join(' ')} default: return false; }
      return n === ${names.length};
    },
    write(value, write, depth) { ${writes.join(' ')} },
  };`)() as GeneratedShape;
}
