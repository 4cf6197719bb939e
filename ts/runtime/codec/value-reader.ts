import { Deserializer } from 'node:v8';

import { setField } from './set-field.ts';
import {
  type ShapeRegistry,
  TOKEN_ARRAY,
  TOKEN_BIGINT,
  TOKEN_DATE,
  TOKEN_F64,
  TOKEN_FALSE,
  TOKEN_HOLE,
  TOKEN_I32,
  TOKEN_NAMED_OBJECT,
  TOKEN_NULL,
  TOKEN_OBJECT,
  TOKEN_REFERENCE,
  TOKEN_STRING,
  TOKEN_TRUE,
  TOKEN_UNDEFINED,
  TOKEN_V8,
} from './value-tokens.ts';

/** Reads the values of one `any` column of one batch. */
export class ValueReader {
  readonly #registry: ShapeRegistry;
  readonly #shapes: (readonly string[])[] = [];
  #tokens: Buffer = Buffer.alloc(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #pool = '';
  #at = 0;
  #poolAt = 0;
  #objects: object[] = [];

  constructor(registry: ShapeRegistry) {
    this.#registry = registry;
  }

  /** Points the reader at a batch's tokens and pool. */
  load(tokens: Buffer, pool: string): void {
    this.#tokens = tokens;
    this.#view = new DataView(tokens.buffer, tokens.byteOffset, tokens.byteLength);
    this.#pool = pool;
  }

  /** The value whose tokens begin at byte `at` and whose strings begin at `poolAt` (UTF-16 units). */
  read(at: number, poolAt: number): unknown {
    this.#at = at;
    this.#poolAt = poolAt;
    this.#objects.length = 0;
    return this.#value();
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

  #string(): string {
    const length = this.#u32();
    const from = this.#poolAt;
    this.#poolAt = from + length;
    return this.#pool.substring(from, from + length);
  }

  #shape(id: number): readonly string[] {
    let names = this.#shapes[id];
    if (names === undefined) {
      names = JSON.parse(this.#registry.shapeText(id)) as string[];
      this.#shapes[id] = names;
    }
    return names;
  }

  #value(): unknown {
    const token = this.#tokens[this.#at++];
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
      case TOKEN_STRING:
        return this.#string();
      case TOKEN_ARRAY:
        return this.#array();
      case TOKEN_OBJECT:
        return this.#object(this.#shape(this.#u32()));
      case TOKEN_NAMED_OBJECT:
        return this.#namedObject();
      case TOKEN_DATE: {
        const date = new Date(this.#f64());
        this.#objects.push(date);
        return date;
      }
      case TOKEN_BIGINT:
        return BigInt(this.#string());
      case TOKEN_REFERENCE:
        return this.#objects[this.#u32()];
      case TOKEN_V8: {
        const length = this.#u32();
        const bytes = this.#tokens.subarray(this.#at, this.#at + length);
        this.#at += length;
        const deserializer = new Deserializer(bytes);
        deserializer.readHeader();
        return deserializer.readValue();
      }
      default:
        throw new RangeError(`unknown token ${token} in a column of mixed values`);
    }
  }

  #array(): unknown[] {
    const length = this.#u32();
    const items: unknown[] = new Array(length);
    this.#objects.push(items);
    for (let n = 0; n < length; n++) {
      if (this.#tokens[this.#at] === TOKEN_HOLE) this.#at++;
      else items[n] = this.#value();
    }
    return items;
  }

  #object(names: readonly string[]): object {
    const object: Record<string, unknown> = {};
    this.#objects.push(object);
    for (let n = 0; n < names.length; n++) setField(object, names[n]!, this.#value());
    return object;
  }

  #namedObject(): object {
    const count = this.#u32();
    const object: Record<string, unknown> = {};
    this.#objects.push(object);
    for (let n = 0; n < count; n++) {
      const name = this.#string();
      setField(object, name, this.#value());
    }
    return object;
  }
}
