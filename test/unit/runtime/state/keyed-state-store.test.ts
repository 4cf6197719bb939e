import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { isSageError } from '../../../../ts/common/errors.ts';
import { count, first, sum } from '../../../../ts/index.ts';
import { KeyedStateStore } from '../../../../ts/runtime/state/keyed-state-store.ts';
import { VirtualClock } from '../../../../ts/testing/virtual-clock.ts';
import { shareOfRuns } from '../../../property-runs.ts';
import { NaiveStates } from './naive-states.ts';

const slots = fc.constantFrom(0, 0, 0, 1, 2);
const names = fc.constantFrom('x', 'y', 'z');
const numbers = fc.integer({ min: 0, max: 9 });
const write = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), value: fc.option(numbers, { nil: undefined }) }),
  fc.record({ kind: fc.constant('add' as const), value: numbers }),
  fc.record({ kind: fc.constant('clear list' as const) }),
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('entry' as const), name: names, value: numbers }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), name: names }) },
  fc.record({ kind: fc.constant('clear map' as const) }),
  fc.record({ kind: fc.constant('total' as const), value: numbers }),
);
/** Calls of a function, with time between them. */
const calls = fc.array(
  fc.record({ slot: slots, writes: fc.array(fc.record({ write, afterMs: fc.constantFrom(0, 0, 0, 7) }), { maxLength: 6, size: 'max' }), fails: fc.boolean(), expires: fc.boolean(), afterMs: fc.integer({ min: 0, max: 30 }) }),
  { maxLength: 25, size: 'max' },
);

/** A store with one state of each kind, and a clock. */
function declared(ttlMs: number | undefined, isTolerant = true) {
  const clock = new VirtualClock();
  const store = new KeyedStateStore({ operator: 'test', clock, isTolerant });
  const options = ttlMs === undefined ? undefined : { ttlMs };
  return {
    clock,
    store,
    value: store.value<number>('value', options),
    list: store.list<number>('list', options),
    map: store.map<string, number>('map', options),
    total: store.reducing<number>('total', (a, b) => a + b, options),
    sum: store.aggregating('sum', { init: () => 0, add: (a: number, n: number) => a + n, result: (a: number) => a }, options),
  };
}

describe('states of keys', () => {
  it.each([undefined, 20])('agree with plain maps, undone attempts and expiry included (ttlMs: %s)', (ttlMs) => {
    fc.assert(
      fc.property(calls, (all) => {
        const { clock, store, value, list, map, total, sum: sums } = declared(ttlMs);
        const naive = new NaiveStates(ttlMs);
        const pass = (ms: number): void => {
          clock.advance(ms);
          naive.nowMs += ms;
        };
        const compare = (slot: number): void => {
          expect({ value: value.get(), list: [...list], length: list.length, entries: [...map], size: map.size, has: map.has('x'), x: map.get('x'), total: total.get(), sum: sums.get() }).toEqual({
            value: naive.value(slot),
            list: naive.list(slot),
            length: naive.list(slot).length,
            entries: naive.entries(slot),
            size: naive.entries(slot).length,
            has: naive.entries(slot).some(([name]) => name === 'x'),
            x: naive.entries(slot).find(([name]) => name === 'x')?.[1],
            total: naive.total(slot),
            sum: naive.total(slot),
          });
        };
        for (const { slot, writes, fails, expires, afterMs } of all) {
          store.begin(slot);
          naive.begin();
          compare(slot);
          for (const { write: one, afterMs: pauseMs } of writes) {
            switch (one.kind) {
              case 'set':
                value.set(one.value);
                naive.setValue(slot, one.value);
                break;
              case 'add':
                list.add(one.value);
                naive.add(slot, one.value);
                break;
              case 'clear list':
                list.clear();
                naive.clearList(slot);
                break;
              case 'entry':
                map.set(one.name, one.value);
                naive.setEntry(slot, one.name, one.value);
                break;
              case 'delete':
                expect(map.delete(one.name)).toBe(naive.deleteEntry(slot, one.name));
                break;
              case 'clear map':
                map.clear();
                naive.clearMap(slot);
                break;
              case 'total':
                total.add(one.value);
                sums.add(one.value);
                naive.addTotal(slot, one.value);
                break;
            }
            compare(slot);
            pass(pauseMs);
          }
          if (fails) {
            store.rollback();
            naive.rollback();
          } else store.commit();
          store.begin(slot);
          compare(slot);
          store.commit();
          pass(afterMs);
          if (expires) store.expire(1, () => undefined);
          for (const other of [0, 1, 2]) expect(store.isEmpty(other)).toBe(naive.isEmpty(other));
        }
      }),
      { numRuns: shareOfRuns(5) },
    );
  });

  it('tell of each slot whose content has expired, after two lifetimes at most', () => {
    fc.assert(
      fc.property(calls, (all) => {
        const { clock, store, value, list, map } = declared(20, false);
        const told = new Set<number>();
        const written = new Set<number>();
        for (const { slot, afterMs } of all) {
          store.begin(slot);
          value.set(1);
          list.add(1);
          map.set('x', 1);
          store.commit();
          written.add(slot);
          clock.advance(afterMs);
        }
        clock.advance(20);
        store.expire(100, (slot) => told.add(slot));
        clock.advance(20);
        store.expire(100, (slot) => told.add(slot));
        expect([...told].toSorted()).toEqual([...written].toSorted());
        for (const slot of written) expect(store.isEmpty(slot)).toBe(true);
      }),
      { numRuns: shareOfRuns(1) },
    );
  });

  it('gives memory back a little at a time', () => {
    // given a thousand values that have expired
    const { clock, store, value } = declared(5, false);
    for (let slot = 0; slot < 1000; slot++) {
      store.begin(slot);
      value.set(slot);
      store.commit();
    }
    clock.advance(5);
    // when it is asked once
    let told = 0;
    store.expire(100, () => told++);
    // then it has done a part of it
    expect(told).toBe(264);
  });

  it('copies a default that is an object', () => {
    const { store } = declared(undefined);
    const tags = store.value<string[]>('tags', { default: [] });
    store.begin(0);
    tags.get().push('changed');
    store.commit();
    store.begin(1);
    expect(tags.get()).toEqual([]);
  });

  it('keeps null, false, 0 and the empty text as values', () => {
    const { store } = declared(undefined);
    const state = store.value<unknown>('any', { default: 'default' });
    store.begin(0);
    for (const one of [null, false, 0, '']) {
      state.set(one);
      expect(state.get()).toBe(one);
    }
    state.clear();
    expect(state.get()).toBe('default');
  });

  it('compares keys of maps as those of streams', () => {
    const { store } = declared(undefined);
    const map = store.map<unknown, number>('by value');
    store.begin(0);
    map.set({ a: 1, b: [2] }, 1);
    map.set('1', 2);
    map.set(1, 3);
    map.set(-0, 4);
    expect([map.get({ a: 1, b: [2] }), map.get('1'), map.get(1), map.get(0), map.size]).toEqual([1, 2, 3, 4, 4]);
  });

  it('takes aggregators of the core', () => {
    const { store } = declared(undefined);
    const orders = store.aggregating<{ price: number }, number>('orders', count());
    const spent = store.aggregating<{ price: number }, number>('spent', sum('price'));
    const cheapest = store.aggregating<{ price: number }, unknown>('first', first('price'));
    store.begin(0);
    expect(spent.get()).toBe(undefined);
    for (const price of [5, 2]) for (const state of [orders, spent, cheapest]) state.add({ price });
    expect([orders.get(), spent.get(), cheapest.get()]).toEqual([2, 7, 5]);
    expect(() => spent.add({ price: '2' as never })).toThrow(expect.objectContaining({ code: 'SAGE_USER_WRONG_TYPE' }));
  });
});

describe('what does not fit is refused', () => {
  const refused = (act: (store: KeyedStateStore) => unknown): unknown => {
    const { store } = declared(10);
    try {
      act(store);
    } catch (error) {
      return isSageError(error) ? [error.code, error.message, error.operator] : error;
    }
    return 'nothing was thrown';
  };

  it.each([
    ["the state 'value' is there already as value, and not as map", (store: KeyedStateStore) => store.map('value', { ttlMs: 10 })],
    ["the state 'list' is there already with other settings: ttlMs: 10, and not ttlMs: 5", (store: KeyedStateStore) => store.list('list', { ttlMs: 5 })],
    ['the name of a state is the string ""', (store: KeyedStateStore) => store.list('')],
    ["ttlMs of the state 'a' is the number -1, and not a number of milliseconds above 0", (store: KeyedStateStore) => store.list('a', { ttlMs: -1 })],
    ["the state 'a' has no option 'ttl'", (store: KeyedStateStore) => store.list('a', { ttl: 1 } as never)],
    ["the function of the reducing state 'a' is undefined", (store: KeyedStateStore) => store.reducing('a', undefined as never)],
    ["the aggregator of the state 'a' is the function sum", (store: KeyedStateStore) => store.aggregating('a', sum as never)],
  ])('%s', (message, act) => {
    expect(refused(act)).toEqual(['SAGE_STATE_DECLARATION', message, 'test']);
  });

  it('a state without a key in hand', () => {
    expect(refused((store) => store.value('other').get())).toEqual(['SAGE_ENV_CONTEXT', "'test' used its state or timers with no key in hand", 'test']);
  });

  it('a promise', () => {
    expect(refused((store) => {
      store.begin(0);
      store.value<unknown>('other').update(async () => 1);
    })).toEqual(['SAGE_USER_WRONG_TYPE', 'the function of update gave a promise', undefined]);
  });

  it('the same declaration again gives the same state', () => {
    const { store, value } = declared(10);
    expect(store.value('value', { ttlMs: 10 })).toBe(value);
  });
});
