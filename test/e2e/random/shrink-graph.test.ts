import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';

import { editGraph, graphOf } from './edit-graph.ts';
import { type GraphName, formatGraphName, graphOfSeed } from './graph-name.ts';
import { brokenRule } from './graph-rules.ts';
import { type Step, randomGraph } from './graph.ts';
import { type Shrunk, shrinkGraph } from './shrink-graph.ts';

const WIDE = { maxCandidates: 2_000, maxMs: 60_000 };

type Predicate = (steps: readonly Step[]) => boolean;

/** Shrinks with a failure that is known from the steps. */
function shrink(seed: number, fails: Predicate): Promise<Shrunk> {
  return shrinkGraph(graphOfSeed(seed), async (name) => fails(editGraph(name)), WIDE);
}

function seedsWith(predicate: Predicate, most: number): number[] {
  return Array.from({ length: 2_000 }, (_, n) => n + 1).filter((seed) => predicate(randomGraph(seed))).slice(0, most);
}

/** All steps that rows of a step come from. */
function above(steps: readonly Step[], step: Step): Step[] {
  return step.inputs.flatMap((id) => steps.filter((one) => one.id === id)).flatMap((one) => [one, ...above(steps, one)]);
}

const keyedReduceOfThree: Predicate = (steps) => steps.some((step) => step.call.kind === 'reduce' && step.parallelism === 3 && above(steps, step).some(({ call }) => call.kind === 'keyBy'));

describe('a failing graph', () => {
  test.each(seedsWith(keyedReduceOfThree, 20))('with a reduce of 3 instances behind a keyBy is shrunk to those, seed %i', async (seed) => {
    const { name, stopped } = await shrink(seed, keyedReduceOfThree);

    const steps = graphOf(formatGraphName(name));
    expect(stopped).toBe('minimum');
    expect(steps.map(({ call }) => call.kind)).toStrictEqual(['source', 'keyBy', 'reduce', 'sink']);
    expect(steps.map(({ parallelism }) => parallelism)).toStrictEqual([undefined, undefined, 3, undefined]);
    expect(steps[0]!.call).toStrictEqual({ kind: 'source', form: 'collection', rows: 0 });
  });

  test.each(['letters', 'side'] as const)('with %s is shrunk to one owner and what it gives', async (kind) => {
    const has: Predicate = (steps) => steps.some(({ call }) => call.kind === kind);
    for (const seed of seedsWith(has, 10)) {
      const steps = graphOf(formatGraphName((await shrink(seed, has)).name));
      expect([seed, steps.map(({ call }) => call.kind).filter((one) => one === 'source' || one === 'sink' || one === kind)]).toStrictEqual([seed, ['source', kind, 'sink', 'sink']]);
      // And the owner, with what it needs before it: a key, event time.
      expect(steps.length).toBeLessThanOrEqual(steps.some(({ call }) => call.kind === 'keyed') ? 7 : steps.some(({ call }) => call.kind === 'window') ? 6 : 5);
    }
  });

  it('keeps both branches of a split', async () => {
    const has: Predicate = (steps) => steps.some(({ call }) => call.kind === 'split');
    for (const seed of seedsWith(has, 10)) {
      const steps = graphOf(formatGraphName((await shrink(seed, has)).name));
      expect(steps.map(({ call }) => call.kind)).toStrictEqual(['source', 'split', 'branch', 'branch', 'sink', 'sink']);
    }
  });

  it('keeps as many rows as it takes', async () => {
    const has: Predicate = (steps) => steps.some(({ call }) => call.kind === 'source' && call.rows >= 7);
    for (const seed of seedsWith(has, 10)) {
      const steps = graphOf(formatGraphName((await shrink(seed, has)).name));
      expect(steps.map(({ call }) => call)).toStrictEqual([{ kind: 'source', form: 'collection', rows: 10 }, { kind: 'sink' }]);
    }
  });

  it('is left alone when nothing smaller fails', async () => {
    const shrunk = await shrink(17, () => false);

    expect(shrunk.name).toStrictEqual(graphOfSeed(17));
    expect(shrunk.stopped).toBe('minimum');
    expect(shrunk.candidates).toBeGreaterThan(0);
  });
});

/** Fails or not for no reason, but always the same for the same candidate. */
const capricious = (salt: number) => (name: GraphName): boolean => [...formatGraphName(name)].reduce((hash, char) => Math.imul(hash ^ char.charCodeAt(0), 0x01000193), salt) % 3 === 0;

// A search is a hundred graphs and more: 50 of them are 5,000 cases.
describe('whatever fails', () => {
  test('each candidate is valid, is no larger than the one before, and comes once; the search ends at one that fails', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 100_000 }), fc.integer(), async (seed, salt) => {
        const fails = capricious(salt);
        const tried: string[] = [];
        let size = randomGraph(seed).length;
        const shrunk = await shrinkGraph(
          graphOfSeed(seed),
          async (name) => {
            const steps = editGraph(name);
            expect([formatGraphName(name), brokenRule(steps)]).toStrictEqual([formatGraphName(name), undefined]);
            expect(steps.length).toBeLessThanOrEqual(size);
            tried.push(JSON.stringify(steps));
            if (!fails(name)) return false;
            size = steps.length;
            return true;
          },
          WIDE,
        );

        expect(new Set(tried).size).toBe(tried.length);
        expect(shrunk.candidates).toBe(tried.length);
        // Its text gives the same steps, with fewer words perhaps.
        const steps = graphOf(formatGraphName(shrunk.name));
        expect(steps.length).toBe(size);
        expect(shrunk.stopped).toBe('minimum');
      }),
      { numRuns: 50 },
    );
  });

  test('no more candidates are tried than the bound says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 100_000 }), fc.nat(20), async (seed, maxCandidates) => {
        let tried = 0;
        const shrunk = await shrinkGraph(graphOfSeed(seed), async () => (tried++, false), { ...WIDE, maxCandidates });

        expect(tried).toBeLessThanOrEqual(maxCandidates);
        expect(shrunk.candidates).toBe(tried);
        if (shrunk.stopped === 'candidates') expect(tried).toBe(maxCandidates);
      }),
      { numRuns: 50 },
    );
  });

  it('no candidate starts when time is up', async () => {
    let clock = 1_000;
    let tried = 0;
    const shrunk = await shrinkGraph(
      graphOfSeed(17),
      async () => {
        tried++;
        clock += 100;
        return false;
      },
      { maxCandidates: 150, maxMs: 250, now: () => clock },
    );

    expect(tried).toBe(3);
    expect(shrunk).toStrictEqual({ name: graphOfSeed(17), candidates: 3, stopped: 'time' });
  });
});
