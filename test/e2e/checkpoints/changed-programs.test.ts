// A program that was changed goes on from the checkpoints of the old one: operators are found again by their uid.
import { setTimeout as rest } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import { type DataStream, KeyedProcessFunction, LocalEnvironment, MapFunction, type Seekable, SourceFunction, type SubmitOptions, type ValueState, count, countWindow, max, sum } from '../../../ts/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { Workplace } from './interrupted.ts';

const FIRST = 30;
const MORE = 30;
const KEYS = 3;

/** Gives 0, 1, 2 ... up to its limit, and has nothing then. */
class Counting extends SourceFunction<number> implements Seekable<number> {
  readonly #limit: number;
  #next = 0;
  constructor(limit: number) {
    super();
    this.#limit = limit;
  }
  execute(): number | undefined | Promise<undefined> {
    return this.#next < this.#limit ? this.#next++ : rest(1).then(() => undefined);
  }
  position(): number {
    return this.#next;
  }
  seek(position: number): void {
    this.#next = position;
  }
}

interface Numbered {
  readonly n: number;
  /** The how manieth of its key. */
  readonly nth: number;
}

class Numbering extends KeyedProcessFunction<number, number, Numbered> {
  #nth!: ValueState<number>;
  override open(): void {
    this.#nth = this.ctx.state.value('nth');
  }
  execute(n: number): void {
    const nth = (this.#nth.get() ?? 0) + 1;
    this.#nth.set(nth);
    this.collect({ n, nth });
  }
}

class NumberingMap extends MapFunction<number, Numbered> {
  execute(n: number): Numbered {
    const state = this.ctx.state.value<number>('nth');
    const nth = (state.get() ?? 0) + 1;
    state.set(nth);
    return { n, nth };
  }
}

type Program = (env: LocalEnvironment, limit: number) => DataStream<unknown>;

const source = (env: LocalEnvironment, limit: number): DataStream<number> => env.fromSource(Counting, limit).uid('source') as DataStream<number>;
const numbering: Program = (env, limit) => source(env, limit).keyBy((n) => n % KEYS).process(Numbering).uid('numbering');

const numbered = (from: number, to: number, before: (n: number) => number): Numbered[] =>
  Array.from({ length: to - from }, (_, index) => ({ n: from + index, nth: 1 + before(from + index) }));
/** Records of its key before a record that was never lost sight of. */
const allBefore = (n: number): number => Math.floor(n / KEYS);
const byNumber = (records: readonly unknown[]): unknown[] => (records as readonly Numbered[]).toSorted((a, b) => a.n - b.n);

interface Gone {
  readonly arrived: readonly unknown[];
}

/** Runs a program until so many records have arrived, and stops it. */
async function run(place: Workplace, program: Program, limit: number, wanted: number, options: SubmitOptions & { readonly autostop?: false } = {}): Promise<Gone> {
  const env = new LocalEnvironment('changed', { checkpoint: { dir: place.path('checkpoints') } });
  const arrived: unknown[] = [];
  program(env, limit).sink((record) => void arrived.push(record)).uid('sink');
  await using job = await env.submit(options);
  await expect.poll(() => arrived.length, { interval: 1, timeout: 5_000 }).toBeGreaterThanOrEqual(wanted);
  await job.stop();
  return { arrived };
}

/** What the first program has done, and how another one goes on from there. */
async function goOn(place: Workplace, before: Program, after: Program, wanted = MORE, options: SubmitOptions = {}): Promise<Gone> {
  await run(place, before, FIRST, FIRST);
  return run(place, after, FIRST + MORE, wanted, { from: 'latest', ...options, autostop: false });
}

describe('a program that has changed', () => {
  it('given operators that are added, also with state, when it goes on, then each record comes once, and what was kept is there', async () => {
    using place = new Workplace();
    const after: Program = (env, limit) =>
      source(env, limit).filter(() => true).zipWithIndex().uid('index').map(([n]) => n)
        .keyBy((n) => n % KEYS).process(Numbering).uid('numbering');
    const { arrived } = await goOn(place, numbering, after);
    expect(byNumber(arrived)).toEqual(numbered(FIRST, FIRST + MORE, allBefore));
  });

  const without: Program = (env, limit) => source(env, limit).map((n) => ({ n }));

  it('given an operator with state that is removed, when it goes on, then it is refused and named, and nothing has run', async () => {
    using place = new Workplace();
    let ran = false;
    const after: Program = (env, limit) => without(env, limit).map((record) => ((ran = true), record));
    const error = await failureOf(goOn(place, numbering, after));
    expect(error).toMatchObject({ code: 'SAGE_CHECKPOINT_UNCLAIMED', message: expect.stringContaining("'numbering'") as string, help: expect.stringContaining('allowDropped: true') as string });
    expect(ran).toBe(false);
  });

  it('given that, when it may be left behind, then each record comes once', async () => {
    using place = new Workplace();
    const { arrived } = await goOn(place, numbering, without, MORE, { allowDropped: true });
    expect(arrived).toEqual(Array.from({ length: MORE }, (_, n) => ({ n: FIRST + n })));
  });

  const renamed: Program = (env, limit) => source(env, limit).keyBy((n) => n % KEYS).process(Numbering).uid('another');

  it('given another uid, when it goes on, then it is refused; when that may be left behind, it begins with nothing, behind what was read', async () => {
    using place = new Workplace();
    expect(await failureOf(goOn(place, numbering, renamed))).toMatchObject({ code: 'SAGE_CHECKPOINT_UNCLAIMED', message: expect.stringContaining("'numbering'") as string });
    const { arrived } = await run(place, renamed, FIRST + MORE, MORE, { from: 'latest', allowDropped: true });
    expect(byNumber(arrived)).toEqual(numbered(FIRST, FIRST + MORE, (n) => Math.floor((n - FIRST) / KEYS)));
  });

  it('given a map with state, when a process function takes its place, then that goes on with its state', async () => {
    using place = new Workplace();
    const before: Program = (env, limit) => source(env, limit).keyBy((n) => n % KEYS).map(NumberingMap).uid('numbering');
    const { arrived } = await goOn(place, before, numbering);
    expect(byNumber(arrived)).toEqual(numbered(FIRST, FIRST + MORE, allBefore));
  });
});

describe('an operator that does something else under the same uid', () => {
  const keyed = (env: LocalEnvironment, limit: number) => source(env, limit).map((n) => ({ n, of: n % KEYS })).keyBy('of');
  const others: Readonly<Record<string, Program>> = {
    aggregate: (env, limit) => keyed(env, limit).aggregate({ n: count() }, { emit: 'update' }).uid('numbering'),
    reduce: (env, limit) => keyed(env, limit).reduce((a, b) => ({ of: a.of, n: Math.max(a.n, b.n) }), { emit: 'update' }).uid('numbering'),
    dedup: (env, limit) => keyed(env, limit).dedup(({ n }) => n, { ttlMs: 60_000 }).uid('numbering'),
    zipWithIndex: (env, limit) => source(env, limit).zipWithIndex().uid('numbering'),
    'a map': (env, limit) => source(env, limit).map((n) => ({ n })).uid('numbering'),
  };

  it.each(Object.entries(others))('given a process function, when %s takes its place, then it is refused; when that may be left behind, it begins with nothing', async (_, after) => {
    using place = new Workplace();
    const error = await failureOf(goOn(place, numbering, after));
    expect(error).toMatchObject({ code: 'SAGE_CHECKPOINT_UNCLAIMED', message: expect.stringMatching(/'numbering' \(was: keyedProcess, is: [\w ]+\)/) as string, help: expect.stringContaining('uid()') as string });
    const { arrived } = await run(place, after, FIRST + MORE, MORE, { from: 'latest', allowDropped: true });
    expect(arrived).toHaveLength(MORE);
  });

  it.each(Object.entries(others).filter(([name]) => name !== 'a map'))('given %s, when a process function takes its place, then it is refused', async (_, before) => {
    using place = new Workplace();
    expect(await failureOf(goOn(place, before, numbering))).toMatchObject({ code: 'SAGE_CHECKPOINT_UNCLAIMED', message: expect.stringMatching(/'numbering' \(was: [\w ]+, is: keyedProcess\)/) as string });
  });

  it('given an array, when a source with a position takes its place, then it is refused: nobody would know what was read', async () => {
    using place = new Workplace();
    const items = Array.from({ length: FIRST }, (_, n) => n);
    // Its end would be the end of the job.
    const slow = async (n: number): Promise<number> => rest(n < 10 ? 0 : 5, n);
    const before: Program = (env) => env.fromCollection(items).uid('source').map(slow);
    await run(place, before, 0, 5);
    expect(await failureOf(run(place, source, FIRST, 1, { from: 'latest' }))).toMatchObject({ code: 'SAGE_CHECKPOINT_UNCLAIMED', message: expect.stringMatching(/'source' \(was: source of an array, is: source\)/) as string });
  });

  const longest = { init: () => 0, add: (most: number, { n }: { n: number }) => Math.max(most, n), result: (most: number) => most };
  it.each<[string, string, string, Program, Program]>([
    ['another aggregator', 'aggregate of count, sum..n..', 'aggregate of count', (env, limit) => keyed(env, limit).aggregate({ c: count(), t: sum('n') }, { emit: 'update' }).uid('numbering'), (env, limit) => keyed(env, limit).aggregate({ c: count() }, { emit: 'update' }).uid('numbering')],
    ['another field', 'aggregate of sum..n..', 'aggregate of sum..of..', (env, limit) => keyed(env, limit).aggregate({ t: sum('n') }, { emit: 'update' }).uid('numbering'), (env, limit) => keyed(env, limit).aggregate({ t: sum('of') }, { emit: 'update' }).uid('numbering')],
    ['an aggregator of the user', 'aggregate of max..n..', 'aggregate of one of the user', (env, limit) => keyed(env, limit).aggregate({ t: max('n') }, { emit: 'update' }).uid('numbering'), (env, limit) => keyed(env, limit).aggregate({ t: longest }, { emit: 'update' }).uid('numbering')],
    ['windows of another size', 'windows .count, size: 1, slide: 1. of count', 'windows .count, size: 7, slide: 7. of count', (env, limit) => keyed(env, limit).window(countWindow(1)).aggregate({ c: count() }).uid('numbering'), (env, limit) => keyed(env, limit).window(countWindow(7)).aggregate({ c: count() }).uid('numbering')],
  ])('given %s, when the job goes on, then it is refused', async (_, was, is, before, after) => {
    using place = new Workplace();
    expect(await failureOf(goOn(place, before, after))).toMatchObject({ code: 'SAGE_CHECKPOINT_UNCLAIMED', message: expect.stringMatching(new RegExp(`'numbering' \\(was: ${was}, is: ${is}\\)`)) as string });
  });
});
