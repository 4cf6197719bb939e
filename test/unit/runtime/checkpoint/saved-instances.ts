import { EntryReader } from '../../../../ts/runtime/checkpoint/entry-reader.ts';
import { EntryWriter } from '../../../../ts/runtime/checkpoint/entry-writer.ts';
import type { PartOwner } from '../../../../ts/runtime/checkpoint/part-owner.ts';
import type { SavedPart, StatePart } from '../../../../ts/runtime/checkpoint/state-part.ts';
import { KeyBytesWriter } from '../../../../ts/runtime/codec/key-bytes.ts';

const KEY_GROUPS = 128;
const HEAD_BYTES = 11;

/** Another hash than that of the core, which is not needed here. */
function groupOf(key: Uint8Array): number {
  return key.reduce((hash, byte) => (hash * 31 + byte) >>> 0, 7) % KEY_GROUPS;
}

/** The instance that a key belongs to. */
export function instanceOf(key: unknown, parallelism: number): number {
  const writer = new KeyBytesWriter();
  writer.write(key);
  return Math.floor((groupOf(writer.bytes()) * parallelism) / KEY_GROUPS);
}

export const ownerOf = (instance: number, parallelism: number): PartOwner => ({ operator: 'name:tested', name: 'tested', instance, parallelism });

/** What the instances of one operator have saved, given to new ones as the core does: entries by key group, all else to everybody. */
export class SavedInstances {
  readonly #own = new Map<string, SavedPart[]>();
  readonly #entries = new Map<string, Buffer[]>();

  /** Saves all parts of an instance. */
  save(parts: readonly StatePart[], { instance, parallelism }: PartOwner): void {
    for (const part of parts) {
      if (part.kind === 'own') listOf(this.#own, part.name).push({ instance, parallelism, bytes: Buffer.from(part.save()) });
      else if (part.kind === 'keyed') {
        const writer = new EntryWriter(fillGroups);
        part.save(writer);
        listOf(this.#entries, part.name).push(Buffer.from(writer.finish()));
      } else throw new TypeError('the core is not there');
    }
  }

  /** Gives a new instance what is its. */
  restore(parts: readonly StatePart[], { instance, parallelism }: PartOwner): void {
    for (const part of parts) {
      if (part.kind === 'own') {
        const saved = this.#own.get(part.name);
        if (saved !== undefined) part.restore(saved);
      } else if (part.kind === 'keyed') {
        const all = this.#entries.get(part.name);
        if (all !== undefined) part.restore(new EntryReader(Buffer.concat(all.flatMap((entries) => entriesOf(entries, instance, parallelism)))));
      }
    }
  }
}

function listOf<V>(lists: Map<string, V[]>, name: string): V[] {
  const list = lists.get(name) ?? [];
  lists.set(name, list);
  return list;
}

/** Writes the key group of each entry into its head. */
export function fillGroups(entries: Uint8Array): void {
  const bytes = Buffer.from(entries.buffer, entries.byteOffset, entries.byteLength);
  for (const [at, keyLength] of headsOf(bytes)) bytes.writeUInt16LE(groupOf(bytes.subarray(at + HEAD_BYTES, at + HEAD_BYTES + keyLength)), at);
}

function* headsOf(bytes: Buffer): Generator<readonly [at: number, keyLength: number, end: number]> {
  for (let at = 0; at < bytes.length; ) {
    const keyLength = bytes.readUInt32LE(at + 3);
    const end = at + HEAD_BYTES + keyLength + bytes.readUInt32LE(at + 7);
    yield [at, keyLength, end];
    at = end;
  }
}

function entriesOf(bytes: Buffer, instance: number, parallelism: number): Buffer[] {
  return Array.from(headsOf(bytes)).flatMap(([at, , end]) => (Math.floor((bytes.readUInt16LE(at) * parallelism) / KEY_GROUPS) === instance ? [bytes.subarray(at, end)] : []));
}
