import { Serializer } from 'node:v8';

import { SageError, coreError } from '../../common/errors.ts';
import { GrowableBytes } from './growable-bytes.ts';
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

/** More shapes than this in one column are objects used as maps: their names then travel with the value. */
const MAX_SHAPES = 256;
const MAX_SHAPE_FIELDS = 64;
/** Deeper values are left to V8's serialiser, which does not recurse on our stack. */
const MAX_DEPTH = 200;
/** Up to here a linear search for an object met before beats a Map. */
const LINEAR_SEEN = 16;

/** Thrown when a cycle runs through several columns: the whole record then has to be one value. */
export const CROSSES_COLUMNS: unique symbol = Symbol('a cycle through several columns');

const EXOTIC = Symbol('a value that only v8.serialize knows');

/** Writes arbitrary structured-cloneable values of one `any` column: tokens, and the strings they name in a pool. */
export class ValueWriter {
  /** Text of the pool so far; the caller takes it when the batch is closed. */
  pool = '';
  readonly #bytes = new GrowableBytes();
  readonly #registry: ShapeRegistry;
  readonly #shapes = new Map<string, number>();
  #registryIsFull = false;
  #owners: readonly unknown[] = [];
  #seen: object[] = [];
  #seenIndex: Map<object, number> | undefined;

  constructor(registry: ShapeRegistry) {
    this.#registry = registry;
  }

  /** Bytes of tokens so far. */
  get length(): number {
    return this.#bytes.length;
  }

  /** The tokens so far, valid until the next write. */
  tokens(): Uint8Array {
    return this.#bytes.buffer.subarray(0, this.#bytes.length);
  }

  reset(): void {
    this.#bytes.length = 0;
    this.pool = '';
  }

  /** Undoes writes after the given state; for a row of which another column could not be written. */
  truncate(length: number, poolLength: number): void {
    this.#bytes.length = length;
    if (this.pool.length > poolLength) this.pool = this.pool.slice(0, poolLength);
  }

  /**
   * Appends one value.
   *
   * `owners` are the record and the nested objects that hold the value and are columns themselves: a value that leads
   * back to one of them is a cycle that no column of its own can keep.
   *
   * @throws SageError SAGE_CODEC_UNCLONEABLE for functions, symbols and what else cannot be cloned; nothing is then written.
   * @throws CROSSES_COLUMNS for such a cycle.
   */
  write(value: unknown, ...owners: readonly unknown[]): void {
    const length = this.#bytes.length;
    const poolLength = this.pool.length;
    this.#seen.length = 0;
    this.#seenIndex = undefined;
    this.#owners = owners;
    try {
      this.#value(value, 0);
    } catch (error) {
      this.truncate(length, poolLength);
      if (error !== EXOTIC) throw error;
      this.#serialize(value);
    }
  }

  #serialize(value: unknown): void {
    let bytes: Uint8Array;
    try {
      // Not `serialize`: Node's default serialiser treats typed arrays as its own objects, and reading them back gives
      // views over our buffer instead of copies.
      const serializer = new Serializer();
      serializer.writeHeader();
      serializer.writeValue(value);
      bytes = serializer.releaseBuffer();
    } catch (error) {
      throw uncloneable(error, value);
    }
    this.#bytes.u8(TOKEN_V8);
    this.#bytes.u32(bytes.length);
    this.#bytes.bytes(bytes);
  }

  #string(text: string): void {
    this.#bytes.u32(text.length);
    this.pool += text;
  }

  #value(value: unknown, depth: number): void {
    const out = this.#bytes;
    switch (typeof value) {
      case 'string':
        out.u8(TOKEN_STRING);
        this.#string(value);
        return;
      case 'number':
        if ((value | 0) === value && (value !== 0 || 1 / value > 0)) {
          out.u8(TOKEN_I32);
          out.u32(value >>> 0);
        } else {
          out.u8(TOKEN_F64);
          out.f64(value);
        }
        return;
      case 'boolean':
        out.u8(value ? TOKEN_TRUE : TOKEN_FALSE);
        return;
      case 'undefined':
        out.u8(TOKEN_UNDEFINED);
        return;
      case 'bigint':
        out.u8(TOKEN_BIGINT);
        this.#string(value.toString());
        return;
      case 'object':
        if (value === null) out.u8(TOKEN_NULL);
        else this.#object(value, depth);
        return;
      default:
        throw EXOTIC; // v8.serialize refuses it with the reason
    }
  }

  #object(value: object, depth: number): void {
    const out = this.#bytes;
    if (depth > MAX_DEPTH) throw EXOTIC;
    if (this.#owners.includes(value)) throw CROSSES_COLUMNS;
    const before = this.#indexOf(value);
    if (before >= 0) {
      out.u8(TOKEN_REFERENCE);
      out.u32(before);
      return;
    }
    if (Array.isArray(value)) {
      this.#array(value, depth);
      return;
    }
    if (value instanceof Date) {
      out.u8(TOKEN_DATE);
      out.f64(value.getTime());
      return;
    }
    if (Object.prototype.toString.call(value) !== '[object Object]') throw EXOTIC;
    // A class that names itself 'Object' by Symbol.toStringTag is told apart by the brand check of v8.
    const names = Object.keys(value);
    const shape = names.length <= MAX_SHAPE_FIELDS ? this.#shapeOf(names) : -1;
    if (shape >= 0) {
      out.u8(TOKEN_OBJECT);
      out.u32(shape);
      for (let n = 0; n < names.length; n++) this.#value((value as Record<string, unknown>)[names[n]!], depth + 1);
      return;
    }
    out.u8(TOKEN_NAMED_OBJECT);
    out.u32(names.length);
    for (const name of names) {
      this.#string(name);
      this.#value((value as Record<string, unknown>)[name], depth + 1);
    }
  }

  #array(value: readonly unknown[], depth: number): void {
    const own = Object.keys(value);
    // Names on arrays survive a structured clone, but not this token; they come behind all indices.
    if (own.length > 0 && `${Number(own.at(-1)) >>> 0}` !== own.at(-1)) throw EXOTIC;
    // A sparse array may be long and nearly empty; v8 has a compact form for it.
    if (own.length < value.length && value.length > 1024) throw EXOTIC;
    this.#bytes.u8(TOKEN_ARRAY);
    this.#bytes.u32(value.length);
    for (let n = 0; n < value.length; n++) {
      if (own.length < value.length && !(n in value)) this.#bytes.u8(TOKEN_HOLE);
      else this.#value(value[n], depth + 1);
    }
  }

  #shapeOf(names: readonly string[]): number {
    // Such as where the names travel with each value anyway.
    if (this.#registryIsFull && this.#shapes.size === 0) return -1;
    const text = JSON.stringify(names);
    const known = this.#shapes.get(text);
    if (known !== undefined) return known;
    if (this.#registryIsFull || this.#shapes.size >= MAX_SHAPES || !names.every((name) => name.isWellFormed())) return -1;
    const id = this.#intern(text);
    if (id >= 0) this.#shapes.set(text, id);
    else this.#registryIsFull = true;
    return id;
  }

  /** The id of a new shape; -1 when the job has as many as it may have, or none at all. */
  #intern(text: string): number {
    try {
      return this.#registry.internShape(text);
    } catch (error) {
      if (coreError(error)?.code !== 'SAGE_LIMIT_LAYOUTS') throw error;
      this.#registryIsFull = true;
      return -1;
    }
  }

  /** Index of an object met before in this row, or -1 after noting it. */
  #indexOf(value: object): number {
    const seen = this.#seen;
    if (this.#seenIndex !== undefined) {
      const index = this.#seenIndex.get(value);
      if (index !== undefined) return index;
      this.#seenIndex.set(value, seen.length);
    } else {
      for (let n = 0; n < seen.length; n++) if (seen[n] === value) return n;
      if (seen.length >= LINEAR_SEEN) {
        this.#seenIndex = new Map(seen.map((object, n) => [object, n]));
        this.#seenIndex.set(value, seen.length);
      }
    }
    seen.push(value);
    return -1;
  }
}

/** Path of the first function or symbol in a value, for the message. */
function findUncloneable(value: unknown, path: string, seen: Set<unknown>): string | undefined {
  if (typeof value === 'function' || typeof value === 'symbol') return `${path || 'the record'} is a ${typeof value}`;
  if (typeof value !== 'object' || value === null || seen.has(value) || seen.size > 10_000) return undefined;
  seen.add(value);
  const entries: Iterable<[unknown, unknown]> = value instanceof Map ? value.entries() : Object.entries(value);
  for (const [name, item] of entries) {
    const found = findUncloneable(item, path === '' ? String(name) : `${path}.${String(name)}`, seen);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The error for a record that cannot cross; it names the first function or symbol in it. */
export function uncloneable(error: unknown, value: unknown): SageError {
  const where = findUncloneable(value, '', new Set());
  const reason = where ?? (error instanceof Error ? error.message : String(error));
  return new SageError('SAGE_CODEC_UNCLONEABLE', `a record cannot cross to another task: ${reason}`, { cause: error });
}
