import { GrowableBytes } from '../codec/growable-bytes.ts';
import { KeyBytesWriter } from '../codec/key-bytes.ts';
import { SavedValuesWriter } from './saved-values.ts';

/** Bytes before the key: key group, operation, length of the key and of the value. */
export const ENTRY_HEAD_BYTES = 11;
export const OPERATION_PUT = 0;
const OPERATION_DELETE = 1;

const NO_VALUE = new Uint8Array(0);

/**
 * Writes the entries of a keyed part, one behind the other: `u16 key group, u8 operation, u32 length of the key, u32 length of the value,
 * key, value`. Groups are filled in by the core at the end, which hashes all keys in one call.
 */
export class EntryWriter {
  readonly #out = new GrowableBytes();
  readonly #keys = new KeyBytesWriter();
  readonly #values = new SavedValuesWriter();
  readonly #fillKeyGroups: (entries: Uint8Array) => void;

  /** @param fillKeyGroups writes the key group of each entry: `keyGroupsFill` of the core */
  constructor(fillKeyGroups: (entries: Uint8Array) => void) {
    this.#fillKeyGroups = fillKeyGroups;
  }

  /** Appends an entry whose key is canonical bytes (`KeyBytesWriter`). */
  put(key: Uint8Array, value: Uint8Array): void {
    this.#append(OPERATION_PUT, key, value);
  }

  /** Appends, to a part that is changes, that a key of the user has gone. @throws SageError SAGE_KEY_UNSUPPORTED */
  removeKey(key: unknown): void {
    this.#keys.reset();
    this.#keys.write(key);
    this.#append(OPERATION_DELETE, this.#keys.bytes(), NO_VALUE);
  }

  #append(operation: number, key: Uint8Array, value: Uint8Array): void {
    const out = this.#out;
    out.reserve(ENTRY_HEAD_BYTES + key.length + value.length);
    const at = out.length;
    out.view.setUint16(at, 0, true);
    out.buffer[at + 2] = operation;
    out.view.setUint32(at + 3, key.length, true);
    out.view.setUint32(at + 7, value.length, true);
    out.buffer.set(key, at + ENTRY_HEAD_BYTES);
    out.buffer.set(value, at + ENTRY_HEAD_BYTES + key.length);
    out.length = at + ENTRY_HEAD_BYTES + key.length + value.length;
  }

  /**
   * Appends an entry of values of the user: any key, and any value that can be cloned.
   *
   * @throws SageError SAGE_KEY_UNSUPPORTED, SAGE_CODEC_UNCLONEABLE
   */
  putValue(key: unknown, value: unknown): void {
    this.#keys.reset();
    this.#keys.write(key);
    this.put(this.#keys.bytes(), this.#values.encode(value));
  }

  /** All entries, with their groups; valid until the next call. */
  finish(): Uint8Array {
    const entries = this.#out.buffer.subarray(0, this.#out.length);
    if (entries.length > 0) this.#fillKeyGroups(entries);
    return entries;
  }

  /** Bytes so far. */
  get length(): number {
    return this.#out.length;
  }

  reset(): void {
    this.#out.length = 0;
  }
}
