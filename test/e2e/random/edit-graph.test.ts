import { describe, expect, it } from 'vitest';

import { editGraph, graphOf } from './edit-graph.ts';
import { graphOfSeed } from './graph-name.ts';
import { brokenRule } from './graph-rules.ts';
import { type Step, randomGraph } from './graph.ts';

const SEEDS = Array.from({ length: 1_000 }, (_, n) => n + 1);

/** The first step like this in the graphs of the first seeds. */
function find(isSought: (step: Step, steps: readonly Step[]) => boolean): { seed: number; step: Step; steps: readonly Step[] } {
  for (const seed of SEEDS) {
    const steps = randomGraph(seed);
    const step = steps.find((one) => isSought(one, steps));
    if (step !== undefined) return { seed, step, steps };
  }
  throw new Error('no such step');
}

const drop = (seed: number, ...ids: number[]): Step[] => editGraph({ ...graphOfSeed(seed), drop: ids });

const of = (owner: Step, kind: string) => (step: Step): boolean => step.call.kind === kind && step.inputs[0] === owner.id;

describe('edits', () => {
  it('leave a graph alone when there are none', () => {
    for (const seed of SEEDS) expect(editGraph(graphOfSeed(seed))).toStrictEqual(randomGraph(seed));
  });

  it('drop a step: its consumers take its first input', () => {
    const { seed, step, steps } = find(({ call, id }, all) => call.kind === 'zipWithIndex' && all.some(({ inputs }) => inputs[0] === id));
    const consumers = steps.filter(({ inputs }) => inputs.includes(step.id)).map(({ id }) => id);

    const left = drop(seed, step.id);

    expect(left.map(({ id }) => id)).toStrictEqual(steps.map(({ id }) => id).filter((id) => id !== step.id));
    for (const id of consumers) expect(left.find((one) => one.id === id)!.inputs).toContain(step.inputs[0]);
  });

  it('drop a step with what hangs from it: branches, side outputs, dead letters', () => {
    for (const kind of ['letters', 'side', 'branch']) {
      const { seed, step, steps } = find((one, all) => all.some(of(one, kind)));

      const left = drop(seed, step.id);

      expect(steps.filter(of(step, kind)).length).toBeGreaterThan(0);
      for (const gone of [step, ...steps.filter(of(step, kind))]) expect(left.map(({ id }) => id)).not.toContain(gone.id);
      expect(left.every(({ inputs }) => inputs.every((id) => left.some((other) => other.id === id)))).toBe(true);
    }
  });

  it('drop a source with what takes rows of nobody else', () => {
    const { seed, step: source } = find(({ call }, all) => call.kind === 'source' && all.filter((one) => one.call.kind === 'source').length > 1);

    const left = drop(seed, source.id);

    expect(left.some(({ id }) => id === source.id)).toBe(false);
    expect(left.filter(({ call }) => call.kind === 'union').every(({ inputs }) => inputs.length >= 2)).toBe(true);
    expect(left.filter(({ call }) => call.kind !== 'source').every(({ inputs }) => inputs.length > 0)).toBe(true);
  });

  it('give a stream that is open a sink', () => {
    const { seed, step: sink, steps } = find(({ call, inputs }, all) => call.kind === 'sink' && all.filter((one) => one.inputs.includes(inputs[0]!)).length === 1);

    const left = drop(seed, sink.id);

    expect(left.at(-1)).toMatchObject({ id: steps.length, call: { kind: 'sink' }, inputs: sink.inputs });
    expect(brokenRule(left)).toBeUndefined();
  });

  it('make a step plain', () => {
    const { seed, step } = find(({ call, policy, parallelism }) => call.kind === 'filter' && call.isClass && call.async !== 'never' && policy !== undefined && parallelism !== undefined);

    const left = editGraph({ ...graphOfSeed(seed), plain: [step.id] }).find(({ id }) => id === step.id);

    expect(left).toStrictEqual({ ...step, call: { kind: 'filter', async: 'never', isClass: false }, parallelism: undefined, policy: undefined });
  });

  it('make a source smaller', () => {
    const { seed, step } = find(({ call }) => call.kind === 'source' && call.rows === 100);

    expect(graphOf(`${seed}:rows=3@${step.id}`).find(({ id }) => id === step.id)).toStrictEqual({ ...step, call: { ...step.call, rows: 3 } });
  });

  it('of a step that is not there, or no source, are refused', () => {
    expect(() => graphOf('17:drop=99')).toThrow("'17:drop=99': there is no step 99 to drop");
    expect(() => graphOf('17:plain=99')).toThrow("'17:plain=99': there is no step 99 to make plain");
    expect(() => graphOf('17:rows=9999@0')).toThrow("'17:rows=9999@0': step 0 is no source of 9999 rows or more");
    expect(() => graphOf('17:drop=0')).toThrow("the edits of '17:drop=0' leave no graph that can run: the graph has no step");
  });
});

describe('rules of random graphs', () => {
  it('are kept by the graph of each seed', () => {
    for (const seed of SEEDS) expect([seed, brokenRule(randomGraph(seed))]).toStrictEqual([seed, undefined]);
  });

  const source: Step = { id: 0, call: { kind: 'source', form: 'collection', rows: 9 }, salt: 0, inputs: [], parallelism: undefined, policy: undefined };
  const chain = (...steps: Partial<Step>[]): Step[] => [source, ...[...steps, { call: { kind: 'sink' } as const }].map((step, n) => ({ ...source, id: n + 1, inputs: [n], ...step }) as Step)];
  const keyBy = (strategy: 'hash' | 'roundRobin'): Partial<Step> => ({ call: { kind: 'keyBy', async: 'never', strategy } });
  const filter = { call: { kind: 'filter', async: 'never', isClass: true } } as const;
  const split: Partial<Step> = { call: { kind: 'split', async: 'never', isClass: false } };

  it.each([
    ['state behind a roundRobin key', chain(keyBy('roundRobin'), filter, { call: { kind: 'dedup' } }), 'step 3, dedup, is behind a roundRobin key'],
    ['several instances of state without a key', chain(filter, { call: { kind: 'limit', max: 3 }, parallelism: 2 }), 'step 2, limit, has a parallelism without a hash key'],
    ['a last row behind a key', chain(keyBy('hash'), { call: { kind: 'process', async: 'never', finishes: true } }), 'step 2, process, gives a last row without a key behind a keyBy'],
    ['letters without a policy that gives them', chain({ ...filter, policy: 'skip' }, { call: { kind: 'letters' } }), 'step 2, letters, is of a step without dead letters'],
    ['a side output of a filter', chain(filter, { call: { kind: 'side' } }), 'step 2, side, is of a step without side outputs'],
    ['rows of a split', chain(split, filter), 'step 1, split, has the branches none'],
    ['a split with one branch', chain(split, { call: { kind: 'branch', name: 'a' } }), 'step 1, split, has the branches a'],
    ['a stream without an end', [source], 'step 0, source, ends in no sink'],
    ['a union of one stream', chain({ call: { kind: 'union' } }), 'step 1, union, has 1 inputs'],
    ['a generator with several instances', [{ ...source, call: { kind: 'source', form: 'generator', rows: 9 }, parallelism: 2 } as Step, ...chain().slice(1)], 'step 0, source, has a parallelism, but rows from one place'],
  ])('refuse %s', (_, steps, problem) => {
    expect(brokenRule(steps)).toBe(problem);
  });

  it('allow several instances of state behind a hash key', () => {
    expect(brokenRule(chain(keyBy('hash'), filter, { call: { kind: 'dedup' }, parallelism: 3 }))).toBeUndefined();
  });
});
