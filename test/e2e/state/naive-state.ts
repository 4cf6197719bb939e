import { isDeepStrictEqual } from 'node:util';

import { expect } from 'vitest';

import type { KeyedState, ListState, MapState, ReducingState, ValueState } from '../../../ts/index.ts';

/** What a record has its function do to the state of its key. */
export type Write =
  | { readonly kind: 'set' | 'append' | 'add'; readonly value: number }
  | { readonly kind: 'put'; readonly name: string; readonly value: number }
  | { readonly kind: 'clear' };

/** A record that says what becomes of it. */
export interface Scripted {
  readonly id: number;
  readonly key: unknown;
  readonly writes: readonly Write[];
  /** How often it fails before it succeeds. */
  readonly failures: number;
}

/** What a call saw before it wrote. */
export interface Seen {
  readonly id: number;
  readonly key: unknown;
  readonly instance: number;
  readonly value: number | undefined;
  readonly list: readonly number[];
  readonly map: readonly (readonly [string, number])[];
  readonly total: number | undefined;
}

/** The four states that records of these tests write to. */
export class Scribe {
  readonly #value: ValueState<number>;
  readonly #list: ListState<number>;
  readonly #map: MapState<string, number>;
  readonly #total: ReducingState<number>;

  constructor(state: KeyedState) {
    this.#value = state.value('value');
    this.#list = state.list('list');
    this.#map = state.map('map');
    this.#total = state.reducing<number>('total', (a, b) => a + b);
  }

  seen(id: number, { key, parallelIndex }: { readonly key: unknown; readonly parallelIndex: number }): Seen {
    return { id, key, instance: parallelIndex, value: this.#value.get(), list: [...this.#list], map: [...this.#map], total: this.#total.get() };
  }

  write(writes: readonly Write[]): void {
    for (const one of writes) {
      if (one.kind === 'set') this.#value.set(one.value);
      else if (one.kind === 'append') this.#list.add(one.value);
      else if (one.kind === 'add') this.#total.add(one.value);
      else if (one.kind === 'put') this.#map.set(one.name, one.value);
      else for (const state of [this.#value, this.#list, this.#map, this.#total]) state.clear();
    }
  }
}

/** The state of one key, in plain collections. */
interface Plain {
  readonly key: unknown;
  instance: number;
  value: number | undefined;
  list: number[];
  map: Map<string, number>;
  total: number | undefined;
}

const normal = (key: unknown): unknown => (key === 0 ? 0 : key);

/** Goes through calls in the order in which they succeeded, and holds what each has seen against plain collections. Keys are compared one by one, by value. */
export function replayWrites(records: readonly Scripted[], calls: readonly Seen[]): void {
  const states: Plain[] = [];
  const byId = new Map(records.map((record) => [record.id, record]));
  for (const call of calls) {
    const key = normal(call.key);
    let plain = states.find((one) => isDeepStrictEqual(one.key, key));
    if (plain === undefined) states.push((plain = { key, instance: call.instance, value: undefined, list: [], map: new Map(), total: undefined }));
    const { id } = call;
    expect(call).toEqual({ id, key: call.key, instance: plain.instance, value: plain.value, list: plain.list, map: [...plain.map], total: plain.total });
    for (const one of byId.get(id)!.writes) {
      if (one.kind === 'set') plain.value = one.value;
      else if (one.kind === 'append') plain.list = [...plain.list, one.value];
      else if (one.kind === 'add') plain.total = (plain.total ?? 0) + one.value;
      else if (one.kind === 'put') plain.map = new Map([...plain.map, [one.name, one.value]]);
      else Object.assign(plain, { value: undefined, list: [], map: new Map(), total: undefined });
    }
  }
}
