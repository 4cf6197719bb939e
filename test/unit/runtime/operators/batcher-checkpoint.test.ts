// Open batches that are saved in the middle, and go on in fresh instances, as many as before or not.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Batcher } from '../../../../ts/runtime/stage/batcher.ts';
import type { BatchSettings } from '../../../../ts/transformations/batch-transformation.ts';
import { VirtualClock } from '../../../../ts/testing/virtual-clock.ts';
import { PROPERTY_RUNS } from '../../../property-runs.ts';
import { SavedInstances, instanceOf, ownerOf } from '../checkpoint/saved-instances.ts';
import { bindingsOf, nodeOf } from './stage-node.ts';

const WAIT_MS = 20;
const keys = ['a', 'b', 'c', 'd', 'e'];

interface Made {
  readonly batcher: Batcher;
  /** What has left: the records of a batch, with its key. */
  readonly given: { readonly records: unknown; readonly key: unknown }[];
  add(record: unknown, key: unknown): void;
  take(): void;
}

function make(settings: Partial<BatchSettings>, keyed: boolean, clock: VirtualClock): Made {
  const { bindings } = bindingsOf(undefined, { clock });
  const whole: BatchSettings = { max: undefined, waitMs: undefined, bytes: undefined, weight: undefined, by: undefined, maxOpen: 1000, ...settings };
  const batcher = new Batcher(nodeOf({ kind: 'batch', keyed, settings: whole }, undefined, keyed), bindings);
  const given: Made['given'] = [];
  const take = (): void => {
    const results = batcher.takeResults();
    results?.records.forEach((records, n) => given.push({ records, key: results.keys?.[n] }));
  };
  return {
    batcher,
    given,
    take,
    add: (record, key) => {
      const own = batcher.add(record, key);
      if (own !== undefined) given.push({ records: own, key: keyed ? key : undefined });
      take();
    },
  };
}

function savedOf(all: readonly Made[], saved: SavedInstances = new SavedInstances()): SavedInstances {
  all.forEach(({ batcher }, at) => {
    const owner = ownerOf(at, all.length);
    saved.save(batcher.stateParts(owner), owner);
  });
  return saved;
}

function restored(saved: SavedInstances, parallelism: number, one: () => Made): Made[] {
  return Array.from({ length: parallelism }, (_, at) => {
    const made = one();
    const owner = ownerOf(at, parallelism);
    saved.restore(made.batcher.stateParts(owner), owner);
    made.take();
    return made;
  });
}

const steps = fc.array(fc.oneof({ weight: 5, arbitrary: fc.record({ key: fc.constantFrom(...keys), id: fc.integer({ min: 0, max: 99 }) }) }, { weight: 1, arbitrary: fc.record({ passMs: fc.integer({ min: 1, max: 12 }) }) }), { maxLength: 50, size: 'max' });
const stops = fc.record({ after: fc.nat({ max: 49 }), parallelism: fc.integer({ min: 1, max: 3 }), epochs: fc.array(fc.nat({ max: 49 }), { maxLength: 30, size: 'max' }) });
const settingsOf = fc.record({ max: fc.constantFrom(undefined, 3, 5), waitMs: fc.constantFrom(undefined, WAIT_MS) });

/** Epochs that held what has changed, of all runs. */
let changes = 0;

/** Records of keys, of which each instance has its own; after so many steps everything goes on in so many new ones. */
function play(settings: Partial<BatchSettings>, all: readonly (typeof steps extends fc.Arbitrary<(infer S)[]> ? S : never)[], parallelism: number, stop?: typeof stops extends fc.Arbitrary<infer S> ? S : never): unknown[] {
  let clock = new VirtualClock(1_000_000);
  let instances = Array.from({ length: parallelism }, () => make(settings, true, clock));
  const every = [...instances];
  const saved = new SavedInstances();
  all.forEach((step, n) => {
    if (stop !== undefined && n < stop.after && stop.epochs.includes(n)) savedOf(instances, saved);
    if (n === stop?.after) {
      savedOf(instances, saved);
      instances.forEach(({ batcher }, at) => saved.expectAll(batcher.stateParts(ownerOf(at, parallelism)), ownerOf(at, parallelism)));
      changes += saved.changes;
      clock = new VirtualClock(clock.now());
      instances = restored(saved, stop.parallelism, () => make(settings, true, clock));
      every.push(...instances);
    }
    if ('key' in step) instances[instanceOf(step.key, instances.length)]!.add(step.id, step.key);
    else {
      clock.advance(step.passMs);
      for (const { batcher, take } of instances) {
        batcher.closeDue(clock.monotonicMs());
        take();
      }
    }
  });
  for (const { batcher, take } of instances) {
    batcher.end();
    take();
  }
  return keys.map((key) => every.flatMap(({ given }) => given.filter((batch) => batch.key === key)));
}

describe('given batches of keys that are saved in the middle', () => {
  it('when they go on in one to three fresh instances, then the batches of each key are those of one that was never stopped', () => {
    fc.assert(
      fc.property(settingsOf, steps, fc.integer({ min: 1, max: 3 }), stops, (settings, all, parallelism, stop) => {
        expect(play(settings, all, parallelism, stop)).toEqual(play(settings, all, 1));
      }),
      { numRuns: 2 * PROPERTY_RUNS },
    );
    // Else all of it was whole, and nothing was tried.
    expect(changes).toBeGreaterThan(0);
  });
});

describe('given batches of keys of which one closes by time between two epochs', () => {
  it('when the second is on top of the first, then it says that this one has gone', () => {
    const clock = new VirtualClock();
    const made = make({ waitMs: WAIT_MS }, true, clock);
    made.add(0, 'first');
    clock.advance(1);
    keys.forEach((key, id) => made.add(id, key));
    const saved = savedOf([made]);
    clock.advance(WAIT_MS - 1);
    made.batcher.closeDue(clock.monotonicMs());
    made.take();
    expect(made.given).toEqual([{ records: [0], key: 'first' }]);
    savedOf([made], saved);
    expect(saved.changes).toBe(1);
    saved.expectAll(made.batcher.stateParts(ownerOf(0, 1)), ownerOf(0, 1));
  });
});

describe('given batches without a key', () => {
  it('when as many instances go on, then each goes on with what it had', () => {
    const clock = new VirtualClock();
    const one = (): Made => make({ max: 3 }, false, clock);
    const all = [one(), one()];
    all[0]!.add(1, undefined);
    all[1]!.add(2, undefined);
    all[1]!.add(3, undefined);
    const [first, second] = restored(savedOf(all), 2, one) as [Made, Made];
    second.add(4, undefined);
    first.batcher.end();
    first.take();
    expect([first.given, second.given]).toEqual([[{ records: [1], key: undefined }], [{ records: [2, 3, 4], key: undefined }]]);
  });

  it('when fewer go on, then what is too much for one batch leaves as another, and no record is lost', () => {
    const clock = new VirtualClock();
    const one = (): Made => make({ max: 3, by: ((n: number) => n % 2) as never }, false, clock);
    const all = [one(), one(), one()];
    all.forEach(({ add }, at) => [1, 3, 2].forEach((n) => add(n + 10 * at, undefined)));
    const [only] = restored(savedOf(all), 1, one) as [Made];
    only.batcher.end();
    only.take();
    expect(only.given.map(({ records }) => records)).toEqual([[1, 3], [11, 13], [2, 12, 22], [21, 23]]);
  });

  it('when more are open than may be, then the oldest leave', () => {
    const clock = new VirtualClock();
    const all = [make({ max: 9, by: ((n: number) => n) as never }, false, clock)];
    for (const n of [1, 2, 3]) all[0]!.add(n, undefined);
    const [only] = restored(savedOf(all), 1, () => make({ max: 9, maxOpen: 2, by: ((n: number) => n) as never }, false, clock)) as [Made];
    expect(only.given.map(({ records }) => records)).toEqual([[1]]);
  });
});
