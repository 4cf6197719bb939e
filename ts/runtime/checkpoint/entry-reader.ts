import { readKey } from '../codec/key-bytes.ts';
import { ENTRY_HEAD_BYTES, OPERATION_PUT } from './entry-writer.ts';
import type { SavedState } from '../state/saved-state.ts';
import { SavedStatesReader } from './saved-states.ts';
import { SavedValuesReader } from './saved-values-reader.ts';

const REMOVES = 'an entry of a part that is whole removes a key';

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
      if (value === undefined) throw new RangeError(REMOVES);
      yield { keyGroup, key, value };
    }
  }

  /** Entries of changes: those without a value remove their key. @throws RangeError for what is no list of entries. */
  *changes(): Generator<ChangedEntry, void, undefined> {
    const bytes = this.#bytes;
    for (let at = 0, end = 0; at < bytes.length; at = end) {
      const valueAt = this.#valueAt(at);
      end = this.#endOf(at, valueAt);
      yield { keyGroup: bytes.readUInt16LE(at), key: bytes.subarray(at + ENTRY_HEAD_BYTES, valueAt), value: bytes[at + 2] === OPERATION_PUT ? bytes.subarray(valueAt, end) : undefined };
    }
  }

  /** The entries that `EntryWriter.putValue` has written: key and value. */
  values(): Generator<readonly [key: unknown, value: unknown], void, undefined> {
    return this.#read(new SavedValuesReader());
  }

  /** The entries that `EntryWriter.putStates` has written: key and states. */
  states(): Generator<readonly [key: unknown, states: readonly SavedState[]], void, undefined> {
    return this.#read(new SavedStatesReader());
  }

  *#read<V>(reader: { load(bytes: Buffer): void; read(start: number, end: number): V }): Generator<readonly [unknown, V], void, undefined> {
    const bytes = this.#bytes;
    reader.load(bytes);
    for (let at = 0, end = 0; at < bytes.length; at = end) {
      if (bytes[at + 2] !== OPERATION_PUT) throw new RangeError(REMOVES);
      const valueAt = this.#valueAt(at);
      end = this.#endOf(at, valueAt);
      yield [readKey(bytes, at + ENTRY_HEAD_BYTES, valueAt), reader.read(valueAt, end)];
    }
  }

  #valueAt(at: number): number {
    return at + ENTRY_HEAD_BYTES + this.#bytes.readUInt32LE(at + 3);
  }

  #endOf(at: number, valueAt: number): number {
    const end = valueAt + this.#bytes.readUInt32LE(at + 7);
    if (end > this.#bytes.length) throw new RangeError('a keyed part ends within an entry');
    return end;
  }
}
