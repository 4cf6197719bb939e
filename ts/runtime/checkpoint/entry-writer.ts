import { GrowableBytes } from '../codec/growable-bytes.ts';
import { KeyBytesWriter } from '../codec/key-bytes.ts';
import { FIRST_STATE_VERSION } from '../state/migrated-state.ts';
import type { SavedState } from '../state/saved-state.ts';
import { SavedStatesWriter } from './saved-states.ts';
import { SavedValuesWriter } from './saved-values-writer.ts';

/** Bytes before the key: key group, operation, length of the key and of the value. */
export const ENTRY_HEAD_BYTES = 11;
/** Behind each key of `slotsKeys`. */
const SLOT_BYTES = 4;
/** Heads with their keys up to here are copied faster without leaving JavaScript. */
const SHORT_HEAD_BYTES = 96;
export const OPERATION_PUT = 0;
const OPERATION_DELETE = 1;

/**
 * Writes the entries of a keyed part, one behind the other: `u16 key group, u8 operation, u32 length of the key, u32 length of the value,
 * key, value`. Groups that the core has not given are filled in by it at the end: it hashes all keys in one call.
 */
export class EntryWriter {
  readonly #out = new GrowableBytes();
  readonly #keys = new KeyBytesWriter(this.#out);
  readonly #values = new SavedValuesWriter(this.#out);
  readonly #states = new SavedStatesWriter(this.#out, this.#values);
  readonly #fillKeyGroups: (entries: Uint8Array) => void;
  /** Whether there are entries whose key groups are to be filled in. */
  #hasNoGroups = false;

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
      this.#states.begin();
      for (const [name, type, hasTtl, saved, version = FIRST_STATE_VERSION] of states) this.#states.put(name, type, hasTtl, saved, version);
      this.#states.end();
    } catch (error) {
      this.#out.length = start;
      throw error;
    }
    this.#head(start, OPERATION_PUT, keyBytes);
  }

  /**
   * Appends what states hold for keys that the core has: for each of them an entry as of `putStates`. Where a key has no state, one of changes says that it
   * has gone, and one of all keys is left out.
   *
   * @param keys entries with the slot of each key (`slotsKeys` of the core)
   * @param write puts the states of a slot
   * @throws what `write` throws; nothing is appended for that key then
   */
  putSlots(keys: Uint8Array, areChanges: boolean, write: (slot: number, to: SavedStatesWriter) => void): void {
    const out = this.#out;
    const states = this.#states;
    const view = new DataView(keys.buffer, keys.byteOffset, keys.byteLength);
    for (let at = 0, slotAt = 0; at < keys.length; at = slotAt + SLOT_BYTES) {
      const keyBytes = view.getUint32(at + 3, true);
      slotAt = at + ENTRY_HEAD_BYTES + keyBytes;
      const start = out.length;
      this.#copyHead(keys, view, at, slotAt);
      states.begin();
      try {
        write(view.getUint32(slotAt, true), states);
      } catch (error) {
        out.length = start;
        throw error;
      }
      if (states.end() > 0) out.view.setUint32(start + 7, out.length - start - (slotAt - at), true);
      else if (areChanges) {
        out.length = start + slotAt - at;
        out.buffer[start + 2] = OPERATION_DELETE;
        out.view.setUint32(start + 7, 0, true);
      } else out.length = start;
    }
  }

  /** Appends the head of an entry of the core, with the group of its key, and the key. */
  #copyHead(keys: Uint8Array, view: DataView, start: number, end: number): void {
    const out = this.#out;
    if (end - start > SHORT_HEAD_BYTES) {
      out.bytes(keys.subarray(start, end));
      return;
    }
    // In words, the last of which may reach into the slot behind it.
    out.reserve(SHORT_HEAD_BYTES + SLOT_BYTES);
    const to = out.view;
    const shift = out.length - start;
    for (let at = start; at < end; at += 4) to.setInt32(at + shift, view.getInt32(at, true), true);
    out.length += end - start;
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
    this.#hasNoGroups = true;
    buffer[start + 2] = operation;
    view.setUint32(start + 3, keyBytes, true);
    view.setUint32(start + 7, length - start - ENTRY_HEAD_BYTES - keyBytes, true);
  }

  /** All entries, with their groups; valid until the next call. */
  finish(): Uint8Array {
    this.#values.forget();
    const entries = this.#out.buffer.subarray(0, this.#out.length);
    if (this.#hasNoGroups) this.#fillKeyGroups(entries);
    return entries;
  }

  /** Bytes so far. */
  get length(): number {
    return this.#out.length;
  }

  reset(): void {
    this.#out.length = 0;
    this.#hasNoGroups = false;
  }
}
