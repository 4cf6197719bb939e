import { ChangedKeys } from '../checkpoint/changed-keys.ts';
import { DueTimes } from './due-times.ts';
import { JoinBuffer, type WaitingRecord } from './join-buffer.ts';
import { keyIdentity, keyOfIdentity } from './key-identity.ts';

/** What a join keeps of one key. */
export interface KeyBuffers {
  readonly identity: unknown;
  readonly left: JoinBuffer;
  readonly right: JoinBuffer;
  /** When it has to be looked at next; an entry of another time no longer holds. */
  dueTime: number;
}

/** What is kept of one key, in a checkpoint. */
interface SavedBuffers {
  readonly left: readonly WaitingRecord[];
  readonly right: readonly WaitingRecord[];
}

/** What a join by event time keeps of both sides, key by key, and when each key has to be looked at. */
export class JoinBuffers {
  readonly #keys = new Map<unknown, KeyBuffers>();
  readonly #due = new DueTimes<KeyBuffers>();
  readonly #dueTimeOf: (buffers: KeyBuffers) => number;
  readonly #changed = new ChangedKeys();

  /** @param dueTimeOf the least time behind which the watermark changes something of a key, infinity when none does. */
  constructor(dueTimeOf: (buffers: KeyBuffers) => number) {
    this.#dueTimeOf = dueTimeOf;
  }

  /** Records that are kept, and keys that have some. */
  get waiting(): { readonly records: number; readonly keys: number } {
    let records = 0;
    for (const { left, right } of this.#keys.values()) records += left.size + right.size;
    return { records, keys: this.#keys.size };
  }

  /** Of a key, made when it has none, to be changed; `schedule` follows, once a record has been added. */
  of(key: unknown): KeyBuffers {
    const identity = keyIdentity(key);
    let buffers = this.#keys.get(identity);
    if (buffers === undefined) {
      buffers = { identity, left: new JoinBuffer(), right: new JoinBuffer(), dueTime: Number.POSITIVE_INFINITY };
      this.#keys.set(identity, buffers);
    }
    this.#changed.add(identity);
    return buffers;
  }

  /** Of each key what is kept. */
  *saved(): Generator<readonly [key: unknown, kept: SavedBuffers]> {
    this.#changed.restart();
    for (const { identity, left, right } of this.#keys.values()) yield [keyOfIdentity(identity), { left: left.all, right: right.all }];
  }

  /** Of each key that has changed since the last call of this or of `saved` what is kept, if anything; nothing when `saved` has to be called. */
  changes(): Iterable<readonly [key: unknown, kept: SavedBuffers | undefined]> | undefined {
    return this.#changed.take(this.#keys.size, (identity) => {
      const buffers = this.#keys.get(identity);
      return buffers && { left: buffers.left.all, right: buffers.right.all };
    });
  }

  /** Keeps what `saved` gave. */
  keep(key: unknown, kept: unknown): void {
    const { left, right } = kept as SavedBuffers;
    const buffers = this.of(key);
    for (const record of left) buffers.left.add(record);
    for (const record of right) buffers.right.add(record);
    this.schedule(buffers);
  }

  /** Has a key looked at in time. */
  schedule(buffers: KeyBuffers): void {
    const dueTime = this.#dueTimeOf(buffers);
    if (dueTime >= buffers.dueTime) return;
    buffers.dueTime = dueTime;
    this.#due.add(dueTime, buffers);
  }

  /** Has each key looked at of which something is due before the watermark, and forgets it when nothing is left. */
  letGo(watermark: number, look: (buffers: KeyBuffers) => void): void {
    for (let next = this.#due.takeBefore(watermark); next !== undefined; next = this.#due.takeBefore(watermark)) {
      const buffers = next.value;
      if (next.time !== buffers.dueTime) continue;
      look(buffers);
      this.#changed.add(buffers.identity);
      buffers.dueTime = Number.POSITIVE_INFINITY;
      if (buffers.left.size + buffers.right.size === 0) this.#keys.delete(buffers.identity);
      else this.schedule(buffers);
    }
  }

  /** Forgets all keys, and gives what was kept of them. */
  takeAll(): readonly KeyBuffers[] {
    const all = [...this.#keys.values()];
    this.#keys.clear();
    this.#changed.stop();
    return all;
  }
}
