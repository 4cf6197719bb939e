// States of keys, saved and restored: whether they are declared before or behind that, whatever their time to live was.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { avg, count, sum } from '../../../../ts/index.ts';
import { KeyedStateStore } from '../../../../ts/runtime/state/keyed-state-store.ts';
import { SavedValuesReader } from '../../../../ts/runtime/checkpoint/saved-values-reader.ts';
import { SavedValuesWriter } from '../../../../ts/runtime/checkpoint/saved-values-writer.ts';
import type { SavedState } from '../../../../ts/runtime/state/saved-state.ts';
import { VirtualClock } from '../../../../ts/testing/virtual-clock.ts';
import { PROPERTY_RUNS } from '../../../property-runs.ts';

const SLOTS = [0, 1, 2];
const slots = fc.constantFrom(...SLOTS);
const numbers = fc.integer({ min: 0, max: 9 });
const steps = fc.array(fc.record({ slot: slots, kind: fc.constantFrom('set' as const, 'unset' as const, 'add' as const, 'entry' as const, 'delete' as const, 'total' as const, 'clear' as const), name: fc.constantFrom('x', 'y', 'z'), value: numbers, afterMs: fc.integer({ min: 0, max: 9 }) }), { maxLength: 40, size: 'max' });
type Steps = typeof steps extends fc.Arbitrary<infer T> ? T : never;

/** One state of each kind. */
function declare(store: KeyedStateStore, ttlMs: number | undefined) {
  const options = ttlMs === undefined ? undefined : { ttlMs };
  return {
    value: store.value<number>('value', options),
    list: store.list<number>('list', options),
    map: store.map<string, number>('map', options),
    total: store.reducing<number>('total', (a, b) => a + b, options),
    sum: store.aggregating('sum', sum<number>((n: number) => n), options),
  };
}

/** What a function does with a store, and what it sees of it. */
class Player {
  readonly store: KeyedStateStore;
  readonly #ttlMs: number | undefined;
  #states: ReturnType<typeof declare> | undefined;

  constructor(clock: VirtualClock, ttlMs: number | undefined) {
    this.store = new KeyedStateStore({ operator: 'test', clock, isTolerant: false });
    this.#ttlMs = ttlMs;
  }

  declare(): ReturnType<typeof declare> {
    return (this.#states ??= declare(this.store, this.#ttlMs));
  }

  do({ slot, kind, name, value: n }: Steps[number]): void {
    this.store.begin(slot);
    const { value, list, map, total, sum: sums } = this.declare();
    if (kind === 'set') value.set(n);
    else if (kind === 'unset') value.clear();
    else if (kind === 'add') list.add(n);
    else if (kind === 'entry') map.set(name, n);
    else if (kind === 'delete') map.delete(name);
    else if (kind === 'clear') map.clear();
    else {
      total.add(n);
      sums.add(n);
    }
    this.store.commit();
    this.store.expire(10, () => undefined);
  }

  seen(): unknown {
    return SLOTS.map((slot) => {
      this.store.begin(slot);
      const { value, list, map, total, sum: sums } = this.declare();
      const seen = { value: value.get(), list: [...list], map: [...map], total: total.get(), sum: sums.get() };
      this.store.commit();
      return { ...seen, isEmpty: this.store.isEmpty(slot) };
    });
  }
}

/** As it comes back from the bytes of a checkpoint. */
const throughBytes = (states: readonly SavedState[]): readonly SavedState[] => new SavedValuesReader().decode(Buffer.from(new SavedValuesWriter().encode(states))) as SavedState[];

function restoreAll(from: KeyedStateStore, to: KeyedStateStore): void {
  for (const slot of SLOTS) to.restore(slot, throughBytes(from.save(slot)));
}

describe('given states that are saved between two records', () => {
  it.each([undefined, 20])('when they are restored into a fresh store, perhaps over one that declares nothing, then they go on as if nothing had happened (ttlMs: %s)', (ttlMs) => {
    fc.assert(
      fc.property(steps, fc.nat({ max: 40 }), fc.boolean(), fc.boolean(), (all, after, isDeclaredFirst, isOver) => {
        const clock = new VirtualClock();
        const undisturbed = new Player(clock, ttlMs);
        let player = new Player(clock, ttlMs);
        for (const [n, step] of all.entries()) {
          if (n === after) {
            let saved = player.store;
            if (isOver) {
              // A run that ends before the function has asked for any state: what waits for that is saved again.
              const between = new KeyedStateStore({ operator: 'test', clock, isTolerant: false });
              restoreAll(saved, between);
              for (const slot of SLOTS) expect(between.isEmpty(slot)).toBe(saved.isEmpty(slot));
              saved = between;
            }
            player = new Player(clock, ttlMs);
            if (isDeclaredFirst) player.declare();
            restoreAll(saved, player.store);
          }
          clock.advance(step.afterMs);
          undisturbed.do(step);
          player.do(step);
          expect(player.seen()).toEqual(undisturbed.seen());
        }
        clock.advance(100);
        player.store.expire(100, () => undefined);
        expect(player.seen()).toEqual(undisturbed.seen());
      }),
      { numRuns: PROPERTY_RUNS },
    );
  });

  it.each([
    [undefined, 10],
    [10, undefined],
  ])('when they had the time to live %s and are given %s, then what they hold lives as long from its declaration on', (before, then) => {
    const clock = new VirtualClock();
    const old = new Player(clock, before);
    for (const kind of ['set', 'add', 'entry', 'total'] as const) old.do({ slot: 1, kind, name: 'x', value: 3, afterMs: 0 });
    const player = new Player(clock, then);
    restoreAll(old.store, player.store);
    player.declare();
    const held = { value: 3, list: [3], map: [['x', 3]], total: 3, sum: 3, isEmpty: false };
    clock.advance(9);
    expect((player.seen() as unknown[])[1]).toEqual(held);
    clock.advance(2);
    expect(((player.seen() as { isEmpty: boolean }[])[1])!.isEmpty).toBe(then !== undefined);
  });
});

describe('given a state that is of another type in the checkpoint', () => {
  const restored = (declare: (store: KeyedStateStore) => unknown, state: SavedState): void => {
    const store = new KeyedStateStore({ operator: 'test', clock: new VirtualClock(), isTolerant: false });
    store.restore(0, [state]);
    declare(store);
  };

  it.each([
    ['value', 'list', (store: KeyedStateStore) => store.value('x')],
    ['map', 'value', (store: KeyedStateStore) => store.map('x')],
    ['aggregating with avg', 'aggregating with count', (store: KeyedStateStore) => store.aggregating('x', avg((n: number) => n))],
  ])('when it is declared as %s and was %s, then the error names both', (now, then, declare) => {
    expect(() => restored(declare, ['x', then, false, undefined])).toThrow(expect.objectContaining({ code: 'SAGE_STATE_DECLARATION', message: `the state 'x' of 'test' is ${now}, and in the checkpoint that the job goes on from it is ${then}` }));
  });

  it('when it is of the same type, then there is none', () => {
    expect(() => restored((store) => store.aggregating('x', count()), ['x', 'aggregating with count', false, { count: 1, value: 0 }])).not.toThrow();
  });
});
