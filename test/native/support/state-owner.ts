import { expect } from 'vitest';

import { readStateExchange } from '../../../ts/runtime/codec/state-exchange.ts';
import type { Core } from '../../../ts/runtime/native/core.ts';
import { loadCore } from '../../../ts/runtime/native/load-core.ts';
import { imageOf } from './tiny-job.ts';

export const core: Core = loadCore();

/** A row: its key, and what its function does to the state with this number; `undefined` removes it. */
export interface StateRow {
  readonly key: string;
  readonly state: number;
  readonly value?: string | undefined;
  readonly reads?: boolean;
}

const utf8 = new TextEncoder();

/** Batches of rows that are only a key. */
export function keysImage(job: number, keys: readonly string[]): Uint8Array {
  const layout = core.internLayout(job, '{"key":"str","row":{"tup":[]}}');
  let end = 0;
  const ends = Int32Array.from(keys, (key) => (end += key.length));
  return imageOf(keys.length, layout, [new Uint8Array(ends.buffer), utf8.encode(keys.join(''))], [0]);
}

/** Canonical bytes of a key of ASCII. */
export const canonicalKey = (key: string): Uint8Array => Uint8Array.of(5, ...utf8.encode(key));

/** What owns the values of keyed states, and does with them what the core says: the simplest that there is. */
export class StateOwner {
  readonly handle: number;
  readonly #job: number;
  readonly #states: number;
  /** By slot and state. */
  readonly values: (string | undefined)[][] = [];

  constructor(job: number, spec: { readonly states: readonly { name: string; ttlMs?: number }[]; readonly disk?: object }) {
    this.#job = job;
    this.#states = spec.states.length;
    this.handle = core.keyedStateCreate(job, JSON.stringify(spec));
  }

  /** Does what the core wants; the values that it wants encoded. */
  exchange(bytes: number): { readonly ends: Int32Array; readonly data: Uint8Array } {
    if (bytes === 0) return { ends: new Int32Array(0), data: new Uint8Array(0) };
    expect(core.keyedStateTake(this.handle, new Uint8Array(bytes - 1))).toBe(-bytes);
    const image = new Uint8Array(bytes);
    expect(core.keyedStateTake(this.handle, image)).toBe(bytes);
    const { expired, loaded, givenUp, toEncode, data, slotCount } = readStateExchange(image);
    while (this.values.length < slotCount) this.values.push(Array.from({ length: this.#states }, () => undefined));
    for (let n = 0; n < expired.length; n += 2) this.values[expired[n]!]![expired[n + 1]!] = undefined;
    for (let n = 0, start = 0; n < loaded.length; n += 3) {
      this.values[loaded[n]!]![loaded[n + 1]!] = Buffer.from(data.subarray(start, loaded[n + 2])).toString();
      start = loaded[n + 2]!;
    }
    const encoded: Uint8Array[] = [];
    for (let n = 0; n < toEncode.length; n += 2) encoded.push(utf8.encode(this.values[toEncode[n]!]![toEncode[n + 1]!]!));
    for (const slot of givenUp) this.values[slot]!.fill(undefined);
    let end = 0;
    return { ends: Int32Array.from(encoded, ({ length }) => (end += length)), data: Buffer.concat(encoded) };
  }

  /** Runs a batch; what each row sees of the states of its key before it does its part. */
  batch(nowMs: number, rows: readonly StateRow[]): (string | undefined)[][] {
    const slots = new Int32Array(rows.length);
    const { ends, data } = this.exchange(core.keyedStateBegin(this.handle, nowMs, keysImage(this.#job, rows.map(({ key }) => key)), slots));
    const changes: number[] = [];
    const seen = rows.map(({ state, value, reads = false }, row) => {
      const slot = slots[row]!;
      while (this.values.length <= slot) this.values.push(Array.from({ length: this.#states }, () => undefined));
      const before = [...this.values[slot]!];
      if (!reads) {
        this.values[slot]![state] = value;
        changes.push(slot, state, value === undefined ? -1 : value.length);
      }
      return before;
    });
    core.keyedStateFinish(this.handle, nowMs, Int32Array.from(changes), ends, data);
    return seen;
  }

  /** Drops all that has expired. */
  expire(nowMs: number): void {
    for (let bytes = core.keyedStateExpire(this.handle, nowMs); bytes !== 0; bytes = core.keyedStateExpire(this.handle, nowMs)) this.exchange(bytes);
  }

  counts(): Record<'residentKeys' | 'residentBytes' | 'loaded' | 'written' | 'givenUp' | 'expired', number> {
    return JSON.parse(core.keyedStateCounts(this.handle)) as ReturnType<StateOwner['counts']>;
  }
}
