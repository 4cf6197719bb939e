import { GrowableBytes } from '../codec/growable-bytes.ts';
import { KeyBytesWriter } from '../codec/key-bytes.ts';
import type { SavedState } from '../state/saved-state.ts';
import { SavedStatesWriter } from './saved-states.ts';
import { SavedValuesWriter } from './saved-values-writer.ts';

/** Bytes before the key: key group, operation, length of the key and of the value. */
export const ENTRY_HEAD_BYTES = 11;
export const OPERATION_PUT = 0;
const OPERATION_DELETE = 1;

/**
 * Writes the entries of a keyed part, one behind the other: `u16 key group, u8 operation, u32 length of the key, u32 length of the value,
 * key, value`. Groups are filled in by the core at the end, which hashes all keys in one call.
 */
export class EntryWriter {
  readonly #out = new GrowableBytes();
  readonly #keys = new KeyBytesWriter(this.#out);
  readonly #values = new SavedValuesWriter(this.#out);
  readonly #states = new SavedStatesWriter(this.#out, this.#values);
  readonly #fillKeyGroups: (entries: Uint8Array) => void;

  /** @param fillKeyGroups writes the key group of each entry: `keyGroupsFill` of the core */
  constructor(fillKeyGroups: (entries: Uint8Array) => void) {
    this.#fillKeyGroups = fillKeyGroups;
  }

  /** Appends an entry whose key is canonical bytes (`KeyBytesWriter`). */
  put(key: Uint8Array, value: Uint8Array): void {
    const out = this.#out;
    const start = out.length;
    out.reserve(ENTRY_HEAD_BYTES + key.length + value.length);
    out.length += ENTRY_HEAD_BYTES;
    out.bytes(key);
    out.bytes(value);
    this.#head(start, OPERATION_PUT, key.length);
  }

  /** Appends, to a part that is changes, that a key of the user has gone. @throws SageError SAGE_KEY_UNSUPPORTED */
  removeKey(key: unknown): void {
    const start = this.#out.length;
    this.#head(start, OPERATION_DELETE, this.#key(start, key));
  }

  /**
   * Appends an entry of values of the user: any key, and any value that can be cloned. Nothing is appended when it throws.
   *
   * @throws NotStorable, SageError SAGE_KEY_UNSUPPORTED, SAGE_CODEC_UNCLONEABLE
   */
  putValue(key: unknown, value: unknown): void {
    const start = this.#out.length;
    const keyBytes = this.#key(start, key);
    try {
      this.#values.write(value);
    } catch (error) {
      this.#out.length = start;
      throw error;
    }
    this.#head(start, OPERATION_PUT, keyBytes);
  }

  /** As `putValue`, with what states hold for the key. */
  putStates(key: unknown, states: readonly SavedState[]): void {
    const start = this.#out.length;
    const keyBytes = this.#key(start, key);
    try {
      this.#states.write(states);
    } catch (error) {
      this.#out.length = start;
      throw error;
    }
    this.#head(start, OPERATION_PUT, keyBytes);
  }

  /** Leaves room for the head of an entry that begins at a byte, and appends its key; how many bytes that has. */
  #key(start: number, key: unknown): number {
    const out = this.#out;
    out.reserve(ENTRY_HEAD_BYTES);
    out.length = start + ENTRY_HEAD_BYTES;
    try {
      this.#keys.write(key);
    } catch (error) {
      out.length = start;
      throw error;
    }
    return out.length - start - ENTRY_HEAD_BYTES;
  }

  /** What was appended since a byte is an entry. */
  #head(start: number, operation: number, keyBytes: number): void {
    const { buffer, view, length } = this.#out;
    view.setUint16(start, 0, true);
    buffer[start + 2] = operation;
    view.setUint32(start + 3, keyBytes, true);
    view.setUint32(start + 7, length - start - ENTRY_HEAD_BYTES - keyBytes, true);
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
