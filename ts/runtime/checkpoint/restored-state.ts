import type { Core } from '../native/core.ts';
import { EntryReader } from './entry-reader.ts';
import type { SavedPart, StatePart } from './state-part.ts';

const KIND_NONE = 0;
const KIND_OWN = 1;
const KIND_KEYED = 2;

/** The epoch that a job goes on from, as one instance of its operators sees it. */
export class RestoredState {
  readonly #core: Pick<Core, 'checkpointRead' | 'stateRestore'>;
  readonly #job: number;
  readonly #instance: number;
  readonly #parallelism: number;

  constructor(core: Pick<Core, 'checkpointRead' | 'stateRestore'>, job: number, instance: number, parallelism: number) {
    this.#core = core;
    this.#job = job;
    this.#instance = instance;
    this.#parallelism = parallelism;
  }

  /** Gives a part what the epoch has of it. One that the epoch does not have stays as it was made: its operator is new. */
  restore(part: StatePart): void {
    const { operator, name } = part;
    const read = this.#core.checkpointRead(this.#job, operator, name, this.#instance, this.#parallelism);
    const bytes = Buffer.from(read.buffer, read.byteOffset, read.byteLength);
    const kind = bytes[0];
    if (kind === KIND_NONE) return;
    if (kind === KIND_OWN && part.kind === 'own') {
      part.restore(readSavedParts(bytes));
      return;
    }
    const entries = bytes.subarray(1);
    if (kind === KIND_KEYED && part.kind === 'keyed') part.restore(new EntryReader(entries));
    else if (kind === KIND_KEYED && part.kind === 'core') this.#core.stateRestore(part.handle, entries);
    else throw new RangeError(`the part '${name}' of '${operator}' was saved as ${kind === KIND_OWN ? 'state of an instance' : 'state by key'} and is something else now`);
  }
}

/** Parts of instances: a count, and for each `u32 instance, u32 parallelism, u32 length, bytes`. */
function readSavedParts(bytes: Buffer): readonly SavedPart[] {
  const saved: SavedPart[] = [];
  let at = 5;
  for (let count = bytes.readUInt32LE(1); count > 0; count--) {
    const length = bytes.readUInt32LE(at + 8);
    saved.push({ instance: bytes.readUInt32LE(at), parallelism: bytes.readUInt32LE(at + 4), bytes: bytes.subarray(at + 12, at + 12 + length) });
    at += 12 + length;
  }
  return saved;
}
