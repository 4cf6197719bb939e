import { BytesTemplate } from '../codec/bytes-template.ts';
import type { GrowableBytes } from '../codec/growable-bytes.ts';
import { FIRST_STATE_VERSION } from '../state/migrated-state.ts';
import type { SavedState } from '../state/saved-state.ts';
import { SavedValuesReader } from './saved-values-reader.ts';
import type { SavedValuesWriter } from './saved-values-writer.ts';

/** Heads that are kept: an operator has a few states. */
const KEPT_HEADS = 16;

/** What is the same for all keys of a state. */
interface Head {
  readonly name: string;
  readonly type: string;
  readonly hasTtl: boolean;
  readonly version: number;
}

interface WrittenHead extends Head {
  /** The JSON, and how many bytes that has before it. */
  readonly bytes: BytesTemplate;
}

interface ReadHead extends Head {
  /** The JSON. */
  readonly bytes: Uint8Array;
}

/**
 * Writes what the states hold for one key: `u16` states, and for each `u32` bytes of JSON (name, type, whether it expires, version) and its value.
 * `begin`, `put` for each state, `end`; where `put` throws nothing that was written since `begin` is of use.
 */
export class SavedStatesWriter {
  readonly #out: GrowableBytes;
  readonly #values: SavedValuesWriter;
  readonly #heads: WrittenHead[] = [];
  #nextHead = 0;
  #start = 0;
  #count = 0;

  constructor(out: GrowableBytes, values: SavedValuesWriter) {
    this.#out = out;
    this.#values = values;
  }

  /** The states of the next key follow. */
  begin(): void {
    const out = this.#out;
    out.reserve(2);
    this.#start = out.length;
    out.length += 2;
    this.#count = 0;
  }

  /** Appends a state of the key. @throws NotStorable, SageError SAGE_CODEC_UNCLONEABLE */
  put(name: string, type: string, hasTtl: boolean, saved: unknown, version: number): void {
    this.#out.template(this.#headOf(name, type, hasTtl, version));
    this.#values.write(saved);
    this.#count++;
  }

  /** How many states the key has. */
  end(): number {
    this.#out.view.setUint16(this.#start, this.#count, true);
    return this.#count;
  }

  #headOf(name: string, type: string, hasTtl: boolean, version: number): BytesTemplate {
    const heads = this.#heads;
    for (let n = 0; n < heads.length; n++) {
      const head = heads[n]!;
      if (head.name === name && head.type === type && head.hasTtl === hasTtl && head.version === version) return head.bytes;
    }
    const json = Buffer.from(JSON.stringify([name, type, hasTtl, version]), 'utf8');
    const withLength = Buffer.alloc(4 + json.length);
    withLength.writeUInt32LE(json.length);
    withLength.set(json, 4);
    const bytes = new BytesTemplate(withLength);
    heads[this.#nextHead] = { name, type, hasTtl, version, bytes };
    this.#nextHead = (this.#nextHead + 1) % KEPT_HEADS;
    return bytes;
  }
}

/** Reads what `SavedStatesWriter` has written. */
export class SavedStatesReader {
  readonly #values = new SavedValuesReader();
  #bytes: Buffer = Buffer.alloc(0);
  readonly #heads: ReadHead[] = [];
  #nextHead = 0;

  /** The bytes that `read` speaks of. */
  load(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#values.load(bytes);
  }

  /** The states of a key between two bytes. @throws Error when these are none. */
  read(start: number, end: number): SavedState[] {
    const bytes = this.#bytes;
    const states: SavedState[] = [];
    let at = start + 2;
    for (let count = bytes.readUInt16LE(start); count > 0; count--) {
      const headAt = at + 4;
      const length = bytes.readUInt32LE(at);
      const { name, type, hasTtl, version } = this.#headAt(headAt, length);
      const saved = this.#values.readAt(headAt + length);
      at = this.#values.end;
      states.push(version === FIRST_STATE_VERSION ? [name, type, hasTtl, saved] : [name, type, hasTtl, saved, version]);
    }
    if (at !== end) throw new RangeError(`the states of a key end ${at < end ? 'before' : 'behind'} their bytes`);
    return states;
  }

  #headAt(at: number, length: number): ReadHead {
    const bytes = this.#bytes;
    search: for (const head of this.#heads) {
      if (head.bytes.length !== length) continue;
      for (let n = 0; n < length; n++) if (head.bytes[n] !== bytes[at + n]) continue search;
      return head;
    }
    const own = Uint8Array.from(bytes.subarray(at, at + length));
    const [name, type, hasTtl, version] = JSON.parse(Buffer.from(own).toString('utf8')) as [string, string, boolean, number];
    const head: ReadHead = { name, type, hasTtl, version, bytes: own };
    this.#heads[this.#nextHead] = head;
    this.#nextHead = (this.#nextHead + 1) % KEPT_HEADS;
    return head;
  }
}
