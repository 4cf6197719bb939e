import { readKey } from '../codec/key-bytes.ts';
import { ENTRY_HEAD_BYTES, OPERATION_PUT } from './entry-writer.ts';
import { SavedValuesReader } from './saved-values.ts';

/** One entry of a keyed part, as bytes. */
export interface SavedEntry {
  readonly keyGroup: number;
  /** Canonical bytes, unless the part says otherwise. */
  readonly key: Buffer;
  readonly value: Buffer;
}

/** One entry of changes, as bytes; without a value it removes its key. */
export interface ChangedEntry extends Pick<SavedEntry, 'keyGroup' | 'key'> {
  readonly value: Buffer | undefined;
}

/** Reads the entries of a keyed part that belong to one instance, of all old instances. */
export class EntryReader {
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** @throws RangeError for what is no list of entries, or removes a key. */
  *[Symbol.iterator](): Generator<SavedEntry, void, undefined> {
    for (const { keyGroup, key, value } of this.changes()) {
      if (value === undefined) throw new RangeError('an entry of a part that is whole removes a key');
      yield { keyGroup, key, value };
    }
  }

  /** Entries of changes: those without a value remove their key. @throws RangeError for what is no list of entries. */
  *changes(): Generator<ChangedEntry, void, undefined> {
    const bytes = this.#bytes;
    for (let at = 0; at < bytes.length; ) {
      const keyAt = at + ENTRY_HEAD_BYTES;
      const valueAt = keyAt + bytes.readUInt32LE(at + 3);
      const end = valueAt + bytes.readUInt32LE(at + 7);
      if (end > bytes.length) throw new RangeError('a keyed part ends within an entry');
      yield { keyGroup: bytes.readUInt16LE(at), key: bytes.subarray(keyAt, valueAt), value: bytes[at + 2] === OPERATION_PUT ? bytes.subarray(valueAt, end) : undefined };
      at = end;
    }
  }

  /** The entries that `EntryWriter.putValue` has written: key and value. */
  *values(): Generator<readonly [key: unknown, value: unknown], void, undefined> {
    const values = new SavedValuesReader();
    for (const { key, value } of this) yield [readKey(key, 0, key.length), values.decode(value)];
  }
}
