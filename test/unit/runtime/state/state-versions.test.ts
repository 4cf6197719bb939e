// Versions of states: what was saved by an older one is migrated, value by value, in whichever form it was saved.
import { describe, expect, it } from 'vitest';

import type { StateOptions } from '../../../../ts/functions/state/keyed-state.ts';
import { SavedValuesReader } from '../../../../ts/runtime/checkpoint/saved-values-reader.ts';
import { SavedValuesWriter } from '../../../../ts/runtime/checkpoint/saved-values-writer.ts';
import { KeyedStateStore } from '../../../../ts/runtime/state/keyed-state-store.ts';
import type { SavedState } from '../../../../ts/runtime/state/saved-state.ts';
import { StateWatch } from '../../../../ts/runtime/state/state-watch.ts';
import { VirtualClock } from '../../../../ts/testing/virtual-clock.ts';

const KEYS = ['ann', 'bob'];

/** @param watched told of each state, as an operator is that keeps them on disk */
function makeStore(clock = new VirtualClock(1_000), watched?: (name: string) => void): KeyedStateStore {
  const watch = (name: string): StateWatch => {
    watched?.(name);
    return new StateWatch({ operator: 'visits', keyInHand: () => undefined }, name);
  };
  return new KeyedStateStore({ operator: 'visits', clock, isTolerant: false, keyOf: (slot) => KEYS[slot], watch: watched === undefined ? undefined : watch });
}

/** As a checkpoint takes it along. */
function copied(saved: readonly SavedState[]): SavedState[] {
  return new SavedValuesReader().decode(Buffer.from(Uint8Array.from(new SavedValuesWriter().encode(saved)))) as SavedState[];
}

/** One state of each kind that holds numbers, or texts made of them. */
function declare<V>(store: KeyedStateStore, options: StateOptions<V>) {
  return {
    value: store.value<V>('value', options),
    list: store.list<V>('list', options),
    map: store.map<string, V>('map', options),
    total: store.reducing<V>('total', (_, value) => value, options),
    last: store.aggregating<V, V, V>('last', { init: () => undefined as V, add: (_, value) => value, result: (value) => value }, options),
  };
}

type States<V> = ReturnType<typeof declare<V>>;

function fill<V>(store: KeyedStateStore, states: States<V>, slot: number, value: (n: number) => V): void {
  store.begin(slot);
  states.value.set(value(1));
  states.list.addAll([value(2), value(3)]);
  states.map.set('a', value(4));
  states.map.set('b', value(5));
  states.total.add(value(6));
  states.last.add(value(7));
  store.commit();
}

function seen<V>(store: KeyedStateStore, states: States<V>, slot: number): unknown {
  store.begin(slot);
  const all = { value: states.value.get(), list: [...states.list], map: [...states.map], total: states.total.get(), last: states.last.get() };
  store.commit();
  return all;
}

const migrate = (old: unknown, fromVersion: number): string => `${String(old)} of ${fromVersion}`;
const MIGRATED = { value: '1 of 1', list: ['2 of 1', '3 of 1'], map: [['a', '4 of 1'], ['b', '5 of 1']], total: '6 of 1', last: '7 of 1' };

/** What a store of numbers without a version has saved. */
function savedNumbers(ttlMs: number | undefined): SavedState[] {
  const before = makeStore();
  fill(before, declare<number>(before, ttlMs === undefined ? {} : { ttlMs }), 0, (n) => n);
  return copied(before.save(0));
}

describe('a state of a newer version', () => {
  it.each([
    ['no time to live', undefined, undefined],
    ['one', 500, 500],
    ['a new one', undefined, 500],
    ['one no longer', 500, undefined],
  ] as const)('given %s, when it is restored before or behind its declaration, then each value of each kind was migrated once', (_, before, now) => {
    const saved = savedNumbers(before);
    const options = { version: 2, migrate, ...(now === undefined ? {} : { ttlMs: now }) };
    for (const isFirst of [true, false]) {
      const store = makeStore();
      const states = isFirst ? declare<string>(store, options) : undefined;
      store.restore(0, saved);
      expect(seen(store, states ?? declare<string>(store, options), 0)).toEqual(MIGRATED);
    }
  });

  it('given that it was saved again, when a third version goes on from that, then it is migrated from the second', () => {
    const second = makeStore();
    second.restore(0, savedNumbers(undefined));
    declare<string>(second, { version: 2, migrate });
    const saved = copied(second.save(0));
    const same = makeStore();
    same.restore(0, saved);
    expect(seen(same, declare<string>(same, { version: 2, migrate }), 0)).toEqual(MIGRATED);
    const third = makeStore();
    third.restore(0, saved);
    expect(seen(third, declare<string>(third, { version: 3, migrate }), 0)).toMatchObject({ value: '1 of 1 of 2', total: '6 of 1 of 2' });
  });

  it('given that nobody declares it in a run, when it is saved again, then it keeps its version', () => {
    const store = makeStore();
    store.restore(0, savedNumbers(undefined));
    expect(copied(store.save(0))).toEqual(savedNumbers(undefined));
  });

  it('given a migrate that makes nothing of a value, when it is read, then there is none', () => {
    for (const ttlMs of [undefined, 500]) {
      const store = makeStore();
      store.restore(0, savedNumbers(ttlMs));
      const value = store.value<string>('value', { version: 2, migrate: () => undefined as unknown as string });
      store.begin(0);
      expect(value.get()).toBeUndefined();
    }
  });
});

describe('a version that does not fit', () => {
  const saved = (): SavedState[] => {
    const store = makeStore();
    const value = store.value<number>('seen', { version: 3 });
    store.begin(1);
    value.set(1);
    store.commit();
    return copied(store.save(1));
  };

  it.each([
    ['an older version', {}, "the state 'seen' of 'visits' has version 1, and in the checkpoint that the job goes on from it has version 3, which is newer", 'Run the program that declares version 3'],
    ['a newer one without migrate', { version: 4 }, 'has version 4, and in the checkpoint that the job goes on from it has version 3: it has no migrate', 'Add migrate'],
    ['a migrate that throws', { version: 4, migrate: (): never => { throw new RangeError('no such form'); } }, "migrate of the state 'seen' of 'visits' failed for the key the string \"bob\", from version 3 to 4: no such form", 'Mend migrate'],
    ['a migrate that is asynchronous', { version: 4, migrate: (() => Promise.resolve(1)) as never }, "for the key the string \"bob\", from version 3 to 4: migrate of the state 'seen' gave a promise", 'Mend migrate'],
  ])('given %s, when it is declared, then the error names operator, state and versions, and says what to do', (_, options, message, help) => {
    const watched: string[] = [];
    const store = makeStore(undefined, (name) => void watched.push(name));
    store.restore(1, saved());
    const declared = (): unknown => store.value<number>('seen', options);
    expect(declared).toThrowError(expect.objectContaining({ code: 'SAGE_STATE_DECLARATION', operator: 'visits', message: expect.stringContaining(message) as unknown, help: expect.stringContaining(help) as unknown }) as Error);
    // Nobody was told of it, and nothing of it was taken: a function that goes on all the same does not begin with nothing.
    expect(declared).toThrow(message);
    const mended = store.value<number>('seen', { version: 4, migrate: (old) => (old as number) + 1 });
    store.begin(1);
    expect([mended.get(), watched]).toEqual([2, ['seen']]);
  });

  it.each([
    [{ version: 0 }, 'is the number 0, and not a whole number from 1 on'],
    [{ version: 1.5 }, 'is the number 1.5'],
    [{ version: 'two' as unknown as number }, 'is the string "two"'],
    [{ version: 2, migrate: 'no' as never }, `migrate of the state 'seen' is the string "no"`],
    [{ migrate: () => 1 }, "the state 'seen' has migrate and version 1"],
  ])('given the options %o, when it is declared, then they are refused', (options, message) => {
    expect(() => makeStore().value<number>('seen', options)).toThrow(message);
  });

  it('given another version, when it is asked for again, then that is another setting', () => {
    const store = makeStore();
    store.value<number>('seen', { version: 2 });
    expect(() => store.value<number>('seen')).toThrow("the state 'seen' is there already with other settings");
    expect(store.value<number>('seen', { version: 2 })).toBe(store.value<number>('seen', { version: 2 }));
  });
});
