import { expect } from 'vitest';

import { EntryReader } from '../../../../ts/runtime/checkpoint/entry-reader.ts';
import { EntryWriter } from '../../../../ts/runtime/checkpoint/entry-writer.ts';
import type { PartOwner } from '../../../../ts/runtime/checkpoint/part-owner.ts';
import type { SavedPart, StatePart } from '../../../../ts/runtime/checkpoint/state-part.ts';
import { KeyBytesWriter } from '../../../../ts/runtime/codec/key-bytes.ts';

const KEY_GROUPS = 128;
const HEAD_BYTES = 11;
const DELETE = 1;

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

/**
 * What the instances of one operator have saved, given to new ones as the core does: entries by key group, all else to everybody. An instance may
 * save in several epochs, each on top of the one before.
 */
export class SavedInstances {
  /** By part and instance. */
  readonly #own = new Map<string, Map<number, SavedPart>>();
  readonly #entries = new Map<string, Map<number, readonly Buffer[]>>();
  /** How many parts were changes. */
  changes = 0;

  /** Saves all parts of an instance: of those that know it, what has changed since it did that last. */
  save(parts: readonly StatePart[], { instance, parallelism }: PartOwner): void {
    for (const part of parts) {
      if (part.kind === 'own') instancesOf(this.#own, part.name).set(instance, { instance, parallelism, bytes: Buffer.from(part.save()) });
      else if (part.kind === 'keyed') {
        const instances = instancesOf(this.#entries, part.name);
        const before = instances.get(instance);
        const writer = new EntryWriter(fillGroups);
        const isChanges = before !== undefined && part.saveChanges?.(writer) === true;
        if (isChanges) this.changes++;
        else part.save(writer);
        const entries = entriesOf(Buffer.from(writer.finish()));
        instances.set(instance, isChanges ? onTopOf(before, entries) : entries);
      } else throw new TypeError('the core is not there');
    }
  }

  /** What an instance has saved, in changes on top of each other, is all that it has. */
  expectAll(parts: readonly StatePart[], { instance }: PartOwner): void {
    for (const part of parts) {
      if (part.kind !== 'keyed' || part.saveChanges === undefined) continue;
      const writer = new EntryWriter(fillGroups);
      part.save(writer);
      const sorted = (entries: readonly Buffer[]): readonly string[] => entries.map((entry) => entry.toString('latin1')).sort();
      expect(sorted(this.#entries.get(part.name)!.get(instance)!)).toEqual(sorted(entriesOf(Buffer.from(writer.finish()))));
    }
  }

  /** Gives a new instance what is its. */
  restore(parts: readonly StatePart[], { instance, parallelism }: PartOwner): void {
    for (const part of parts) {
      if (part.kind === 'own') {
        const saved = this.#own.get(part.name);
        if (saved !== undefined) part.restore([...saved.values()]);
      } else if (part.kind === 'keyed') {
        const all = this.#entries.get(part.name);
        const isIts = (entry: Buffer): boolean => Math.floor((entry.readUInt16LE(0) * parallelism) / KEY_GROUPS) === instance;
        if (all !== undefined) part.restore(new EntryReader(Buffer.concat([...all.values()].flat().filter(isIts))));
      }
    }
  }
}

function instancesOf<V>(parts: Map<string, Map<number, V>>, name: string): Map<number, V> {
  const instances = parts.get(name) ?? new Map<number, V>();
  parts.set(name, instances);
  return instances;
}

/** The last entry of a key counts. */
function onTopOf(before: readonly Buffer[], changes: readonly Buffer[]): readonly Buffer[] {
  const entries = new Map<string, Buffer>();
  for (const entry of [...before, ...changes]) {
    const key = entry.toString('latin1', HEAD_BYTES, HEAD_BYTES + entry.readUInt32LE(3));
    if (entry[2] === DELETE) entries.delete(key);
    else entries.set(key, entry);
  }
  return [...entries.values()];
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

function entriesOf(bytes: Buffer): readonly Buffer[] {
  return Array.from(headsOf(bytes), ([at, , end]) => bytes.subarray(at, end));
}
