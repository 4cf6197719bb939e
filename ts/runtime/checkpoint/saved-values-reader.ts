import { Deserializer } from 'node:v8';

import { canGenerateCode } from '../codec/can-generate-code.ts';
import { setField } from '../codec/set-field.ts';
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

/** Lists of names that are kept decoded. */
const KEPT_SHAPES = 8;
/** Objects with the same names that are read before code is generated for them. */
const USES_BEFORE_CODE = 32;
const MAX_GENERATED_FIELDS = 64;

interface Shape {
  /** The names as they are written. */
  readonly head: Uint8Array;
  readonly names: readonly string[];
  uses: number;
  /** Makes an object of these names, and asks for the value of each in turn. */
  make: ((next: () => unknown) => object) | undefined;
}

/** Reads what `SavedValuesWriter` has written. */
export class SavedValuesReader {
  #bytes: Buffer = Buffer.alloc(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #at = 0;
  readonly #shapes: Shape[] = [];
  #nextShape = 0;
  readonly #next = (): unknown => this.#value();

  /** One value alone. @throws Error for bytes that are no value. */
  decode(bytes: Buffer): unknown {
    this.load(bytes);
    return this.read(0, bytes.length);
  }

  /** The bytes that `read` speaks of. */
  load(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The value between two bytes. @throws Error when it is none. */
  read(start: number, end: number): unknown {
    const value = this.readAt(start);
    if (this.#at !== end) throw new RangeError(`a saved value ends ${this.#at < end ? 'before' : 'behind'} its bytes`);
    return value;
  }

  /** The value that begins at a byte; `end` says where it ends. */
  readAt(start: number): unknown {
    this.#at = start;
    return this.#value();
  }

  /** Behind the value that was read last. */
  get end(): number {
    return this.#at;
  }

  #u32(): number {
    const value = this.#view.getUint32(this.#at, true);
    this.#at += 4;
    return value;
  }

  #f64(): number {
    const value = this.#view.getFloat64(this.#at, true);
    this.#at += 8;
    return value;
  }

  #text(encoding: 'latin1' | 'utf8' | 'utf16le', bytes: number): string {
    const start = this.#at;
    this.#at = start + bytes;
    if (this.#at > this.#bytes.length) throw new RangeError('a saved text ends behind its bytes');
    return this.#bytes.toString(encoding, start, this.#at);
  }

  #value(): unknown {
    const token = this.#bytes[this.#at++];
    switch (token) {
      case TOKEN_NULL:
        return null;
      case TOKEN_UNDEFINED:
        return undefined;
      case TOKEN_FALSE:
        return false;
      case TOKEN_TRUE:
        return true;
      case TOKEN_F64:
        return this.#f64();
      case TOKEN_I32:
        return this.#u32() | 0;
      case TOKEN_SHORT_TEXT:
        return this.#text('latin1', this.#bytes[this.#at++]!);
      case TOKEN_UTF8:
        return this.#text('utf8', this.#u32());
      case TOKEN_UTF16:
        return this.#text('utf16le', this.#u32());
      case TOKEN_ARRAY:
        return this.#array();
      case TOKEN_OBJECT:
        return this.#object();
      case TOKEN_DATE:
        return new Date(this.#f64());
      case TOKEN_BIGINT:
        return BigInt(this.#value() as string);
      case TOKEN_V8: {
        const bytes = this.#u32();
        const deserializer = new Deserializer(this.#bytes.subarray(this.#at, this.#at + bytes));
        this.#at += bytes;
        deserializer.readHeader();
        return deserializer.readValue();
      }
      default:
        throw new RangeError(`a saved value has the token ${token}`);
    }
  }

  #array(): unknown[] {
    const length = this.#u32();
    const items: unknown[] = [];
    for (let n = 0; n < length; n++) {
      if (this.#bytes[this.#at] === TOKEN_HOLE) {
        this.#at++;
        items.length = n + 1;
      } else items.push(this.#value());
    }
    return items;
  }

  #object(): object {
    const length = this.#u32();
    const shape = this.#shapeAt(this.#at, length);
    this.#at += length;
    if (shape.make !== undefined) return shape.make(this.#next);
    const { names } = shape;
    if (++shape.uses >= USES_BEFORE_CODE && names.length <= MAX_GENERATED_FIELDS && canGenerateCode()) shape.make = generated(names);
    const object: Record<string, unknown> = {};
    for (let n = 0; n < names.length; n++) setField(object, names[n]!, this.#value());
    return object;
  }

  #shapeAt(at: number, length: number): Shape {
    const shapes = this.#shapes;
    for (let n = 0; n < shapes.length; n++) if (isSame(shapes[n]!.head, this.#bytes, at, length)) return shapes[n]!;
    const head = Uint8Array.from(this.#bytes.subarray(at, at + length));
    const shape: Shape = { head, names: JSON.parse(Buffer.from(head).toString('utf8')) as string[], uses: 0, make: undefined };
    shapes[this.#nextShape] = shape;
    this.#nextShape = (this.#nextShape + 1) % KEPT_SHAPES;
    return shape;
  }
}

function isSame(head: Uint8Array, bytes: Uint8Array, at: number, length: number): boolean {
  if (head.length !== length) return false;
  for (let n = 0; n < length; n++) if (head[n] !== bytes[at + n]) return false;
  return true;
}

/** The fields of a literal get their values in the order in which they are written. */
function generated(names: readonly string[]): (next: () => unknown) => object {
  // In brackets `__proto__` is a field as any other.
  const fields = names.map((name) => `${name === '__proto__' ? '["__proto__"]' : JSON.stringify(name)}: next()`);
  return new Function('next', `return {${fields.join(', ')}};`) as (next: () => unknown) => object;
}
