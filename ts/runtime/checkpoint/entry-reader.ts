import { readKey } from '../codec/key-bytes.ts';
import { ENTRY_HEAD_BYTES, OPERATION_PUT } from './entry-writer.ts';
import type { SavedState } from '../state/saved-state.ts';
import { SavedStatesReader } from './saved-states.ts';
import { SavedValuesReader } from './saved-values-reader.ts';

/** One entry of a keyed part, as bytes. */
export interface SavedEntry {
  readonly keyGroup: number;
  /** Canonical bytes, unless the part says otherwise. */
  readonly key: Buffer;
  readonly value: Buffer;
}

/** Reads the entries of a keyed part that belong to one instance, of all old instances. */
export class EntryReader {
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** @throws RangeError for what is no list of entries. */
  *[Symbol.iterator](): Generator<SavedEntry, void, undefined> {
    const bytes = this.#bytes;
    for (let at = 0, end = 0; at < bytes.length; at = end) {
      const valueAt = this.#valueAt(at);
      end = this.#endOf(at, valueAt);
      yield { keyGroup: bytes.readUInt16LE(at), key: bytes.subarray(at + ENTRY_HEAD_BYTES, valueAt), value: bytes.subarray(valueAt, end) };
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
      const valueAt = this.#valueAt(at);
      end = this.#endOf(at, valueAt);
      yield [readKey(bytes, at + ENTRY_HEAD_BYTES, valueAt), reader.read(valueAt, end)];
    }
  }

  #valueAt(at: number): number {
    const bytes = this.#bytes;
    if (bytes[at + 2] !== OPERATION_PUT) throw new RangeError(`an entry of a part that is whole has the operation ${bytes[at + 2]}`);
    return at + ENTRY_HEAD_BYTES + bytes.readUInt32LE(at + 3);
  }

  #endOf(at: number, valueAt: number): number {
    const end = valueAt + this.#bytes.readUInt32LE(at + 7);
    if (end > this.#bytes.length) throw new RangeError('a keyed part ends within an entry');
    return end;
  }
}
