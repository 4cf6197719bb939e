import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { threadId } from 'node:worker_threads';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { type JobResult, LocalEnvironment, count } from '../../ts/index.ts';
import { alike, alikes, bare, clones, lookAlikes, seen, values } from './pipelines/clones.ts';
import { type ExchangeArgs, type Trip, arrived, exchange } from './pipelines/exchange.ts';
import { type InstancesArgs, instances, visits } from './pipelines/instances.ts';
import { KEY_KINDS, type KeyKind, keyText } from './pipelines/keys.ts';
import { keyedState, outputs } from './pipelines/keyed-state.ts';
import { mismatched } from './pipelines/mismatched.ts';
import { notImportable } from './pipelines/not-importable.ts';
import { runScript } from './support/run-script.ts';
import { numbers } from './support/run-to-array.ts';

const byNumber = (a: { n: number }, b: { n: number }): number => a.n - b.n;
const kinds = Object.keys(KEY_KINDS) as KeyKind[];
const script = fileURLToPath(new URL('scripts/parallel-script.ts', import.meta.url));
const late = fileURLToPath(new URL('scripts/late-parallel-script.ts', import.meta.url));

const lists: unknown[][] = [arrived, visits, seen, bare, ...Object.values(outputs)];

/** Runs exchanges side by side in one job; what arrived of each, and the job's result. */
async function travel(lanes: readonly Partial<ExchangeArgs>[]): Promise<{ trips: Trip[][]; result: JobResult }> {
  arrived.length = 0;
  const result = await exchange.run(
    lanes.map((args) => ({ records: 1000, upstream: 2, downstream: 2, keys: 'number', strategy: 'hash', ...args })),
  );
  return { trips: lanes.map((_, lane) => arrived.filter((trip) => trip.lane === lane)), result };
}

const numbersOf = (trips: readonly Trip[]): number[] => trips.map(({ n }) => n).toSorted((a, b) => a - b);

/** Records of one sender with one key have to arrive in the order in which they were sent. */
function expectOrderKept(trips: readonly Trip[]): void {
  const last = new Map<string, number>();
  for (const trip of trips) {
    const path = `${trip.from} ${keyText(trip.key)} ${trip.to}`;
    expect(trip.sequence).toBeGreaterThan(last.get(path) ?? -1);
    last.set(path, trip.sequence);
  }
}

function expectKeysTogether(trips: readonly Trip[]): void {
  const instanceOf = new Map<string, number>();
  for (const { key, to } of trips) {
    expect(instanceOf.get(keyText(key)) ?? to).toBe(to);
    instanceOf.set(keyText(key), to!);
  }
}

describe('one exchange from N to M instances: every record once, equal keys together and in order', () => {
  const shapes = [1, 2, 3, 4].flatMap((upstream) => [1, 2, 3, 4].map((downstream) => [upstream, downstream] as const));
  let trips: Trip[][];
  let result: JobResult;

  beforeAll(async () => {
    ({ trips, result } = await travel(shapes.map(([upstream, downstream]) => ({ upstream, downstream, keys: 'mixed' }))));
  });

  it('runs in worker threads, and what is sent is received', () => {
    expect(result.isolates).toBeGreaterThanOrEqual(2);
    expect(result.edges.filter(({ sent, received }) => sent !== received)).toEqual([]);
    expect(result.operators.filter(({ recordsIn }) => recordsIn !== 1000)).toEqual([]);
  });

  it.each(shapes.map(([upstream, downstream], lane) => ({ upstream, downstream, lane })))('$upstream to $downstream', ({ upstream, downstream, lane }) => {
    const own = trips[lane]!;
    expect(numbersOf(own)).toEqual(numbers(1000));
    expectOrderKept(own);
    expectKeysTogether(own);
    expect(own.filter(({ n, key, seenKey }) => keyText(key) !== keyText(KEY_KINDS.mixed(n)) || keyText(seenKey) !== keyText(key))).toEqual([]);
    expect(new Set(own.map(({ from }) => from))).toEqual(new Set(numbers(upstream)));
    expect(own.every(({ to }) => to! < downstream)).toBe(true);
    if (upstream > 1) expect(own.some(({ fromThread }) => fromThread === threadId)).toBe(false);
    if (upstream > 1) expect(new Set(own.map(({ fromThread }) => fromThread)).size).toBeGreaterThanOrEqual(2);
    if (downstream > 1) expect(own.some(({ toThread }) => toThread === threadId)).toBe(false);
  });
});

describe('keys of every kind', () => {
  let trips: Trip[][];

  beforeAll(async () => {
    ({ trips } = await travel(kinds.map((keys) => ({ keys, downstream: 3, records: 600 }))));
  });

  it.each(kinds)('%s', (keys) => {
    const own = trips[kinds.indexOf(keys)]!;
    expect(own.toSorted(byNumber).map(({ n, seenKey }) => [n, keyText(seenKey)])).toEqual(numbers(600).map((n) => [n, keyText(KEY_KINDS[keys](n))]));
    expectKeysTogether(own);
    expectOrderKept(own);
  });
});

describe('strategies, also from senders that are long behind the others', () => {
  const lanes = (['hash', 'roundRobin', 'broadcast'] as const).flatMap((strategy) =>
    [[], [0], [1, 2]].flatMap((slow) => [1, 3].flatMap((upstream) => [2, 4].map((downstream) => ({ strategy, slow, upstream, downstream, keys: 'string', records: 600 }) as const))),
  );
  let trips: Trip[][];

  beforeAll(async () => {
    ({ trips } = await travel(lanes));
  });

  it.each(lanes.map((lane, index) => ({ ...lane, index })))('$strategy, $upstream to $downstream, slow: $slow', ({ strategy, downstream, index }) => {
    const own = trips[index]!;
    expectOrderKept(own);
    expect(own.filter(({ key, seenKey }) => keyText(key) !== keyText(seenKey))).toEqual([]); // also round-robin keeps the key
    if (strategy === 'hash') expectKeysTogether(own);
    for (const to of strategy === 'broadcast' ? numbers(downstream) : []) expect(numbersOf(own.filter((trip) => trip.to === to))).toEqual(numbers(600));
    if (strategy !== 'broadcast') expect(numbersOf(own)).toEqual(numbers(600));
    expect(own).toHaveLength(strategy === 'broadcast' ? 600 * downstream : 600);
  });

  it('round-robin from one sender is even', () => {
    const shares = Object.groupBy(trips[lanes.findIndex(({ strategy, upstream, downstream }) => strategy === 'roundRobin' && upstream === 1 && downstream === 4)]!, ({ to }) => `${to}`);
    expect(Object.values(shares).map((share) => share!.length)).toEqual([150, 150, 150, 150]);
  });
});

describe('hardly any input', () => {
  const lanes = (['hash', 'broadcast', 'roundRobin'] as const).flatMap((strategy) => [0, 1, 2].map((records) => ({ strategy, records, upstream: 4, downstream: 3 })));
  let trips: Trip[][];

  beforeAll(async () => {
    ({ trips } = await travel(lanes));
  });

  it.each(lanes.map((lane, index) => ({ ...lane, index })))('$records records, $strategy', ({ records, strategy, index }) => {
    expect(numbersOf(trips[index]!)).toEqual(numbers(records).flatMap((n) => (strategy === 'broadcast' ? [n, n, n] : [n])));
  });

  it('no input at all ends the job', async () => {
    const { result } = await travel([{ records: 0, upstream: 3, downstream: 4 }]);
    expect(result).toMatchObject({ status: 'finished', recordsIn: 0, recordsOut: 0 });
  });
});

describe('keyed state over worker threads', () => {
  beforeEach(() => lists.forEach((list) => (list.length = 0)));

  it.each([[1, 2, 'final'], [3, 2, 'final'], [2, 4, 'final'], [1, 3, 'update']] as const)('%i to %i instances, emit %s', async (upstream, downstream, emit) => {
    const result = await keyedState.run({ records: 1200, upstream, downstream, keys: 'mixed', emit });
    expect(result.isolates).toBeGreaterThanOrEqual(2);
    const groups = Map.groupBy(numbers(1200), (n) => keyText(KEY_KINDS.mixed(n)));
    const sorted = (list: readonly number[]): number[] => list.toSorted((a, b) => a - b);
    const lastOf = <R>(records: readonly R[], key: (record: R) => string): Map<string, R> => new Map(records.map((record) => [key(record), record]));
    const native = lastOf(outputs.native as { key: unknown; n: number; total: number }[], ({ key }) => keyText(key));
    const user = lastOf(outputs.user as { key: unknown; all: number[]; first: number; longest: number }[], ({ key }) => keyText(key));
    const reduced = lastOf(outputs.reduced as { n: number; list: number[] }[], ({ list }) => keyText(KEY_KINDS.mixed(list[0]!)));
    for (const [key, members] of groups) {
      expect(native.get(key)).toMatchObject({ n: members.length, total: members.reduce((a, b) => a + b, 0) });
      expect(sorted(user.get(key)!.all)).toEqual(members);
      expect(user.get(key)).toMatchObject({ first: user.get(key)!.all[0], longest: members.at(-1) });
      expect(sorted(reduced.get(key)!.list)).toEqual(members);
      if (upstream === 1) expect([user.get(key)!.all, reduced.get(key)!.list]).toEqual([members, members]); // one sender: its order
    }
    const each = emit === 'final' ? groups.size : 1200;
    expect([outputs.native.length, outputs.user.length, outputs.reduced.length]).toEqual([each, each, each]);
    expect(outputs.global).toEqual([{ n: 1200, total: (1199 * 1200) / 2 }]);
  });
});

describe('instances of function classes', () => {
  beforeEach(() => lists.forEach((list) => (list.length = 0)));

  it.each([[1, 2, 3], [3, 2, 1], [2, 4, 2], [4, 1, 4]])('%i sources, %i in the middle, %i sinks: each instance its own object, indices 0..n-1', async (sources, middles, sinks) => {
    const args: InstancesArgs = { upTo: 400, sources, middles, sinks, counts: new SharedArrayBuffer(4 * 16) };
    const result = await instances.run(args);
    expect(result.isolates).toBeGreaterThanOrEqual(2);
    expect(visits.map(({ n }) => n).toSorted((a, b) => a - b)).toEqual(numbers(400));
    expect(visits.every(({ n, source }) => n % sources === source)).toBe(true);
    const own = new Map<number, number>();
    for (const { middle: [index, parallelism, label, opened, count] } of visits) {
      expect([parallelism, label, opened]).toEqual([middles, 'middle 5 1', 1]);
      own.set(index, Math.max(own.get(index) ?? 0, count));
    }
    expect([...own.keys()].toSorted()).toEqual(numbers(middles));
    expect([...own.values()].reduce((a, b) => a + b, 0)).toBe(400);
    const [opened, records, closed, ...perSink] = new Int32Array(args.counts);
    expect([opened, records, closed]).toEqual([sinks, 400, sinks]);
    expect(perSink.slice(0, sinks).reduce((a, b) => a + b, 0)).toBe(400);
    expect(perSink.slice(0, sinks).every((records) => records > 0)).toBe(true); // an unkeyed stream is spread over all
  });
});

/** As `isDeepStrictEqual`, for which one invalid date differs from another on Node 22. */
function isSame(one: unknown, other: unknown): boolean {
  try {
    expect(one).toStrictEqual(other);
    return true;
  } catch {
    return false;
  }
}

describe('values that cross an exchange', () => {
  it('are what structured clone makes of them; prototypes are lost', async () => {
    const result = await clones.run({ parallelism: 2 });
    expect(result.isolates).toBeGreaterThanOrEqual(2);
    const expected = values().map((value) => structuredClone(value));
    expect(seen).toHaveLength(expected.length);
    const texts = seen.map(({ text }) => text);
    // A worker sees what we would see of a clone. (The text of an error has its stack, which says where it was made.)
    for (const value of expected.slice(0, -1).filter((one) => !(one instanceof Error))) expect(texts).toContain(inspect(value, { depth: 10 }));
    expect(seen.some(({ isPoint }) => isPoint)).toBe(false);
    for (const value of expected) expect({ value, found: seen.some((one) => isSame(one.value, value)) }).toEqual({ value, found: true });
    const dropped = 1; // undefined, as a result of the map
    expect(result.recordsDropped).toBe(dropped);
    expect(bare).toHaveLength(expected.length - dropped);
    for (const value of expected.filter((one) => one !== undefined)) expect({ value, found: bare.some((one) => isSame(one, value)) }).toEqual({ value, found: true });
    const cycle = bare.find((value): value is { self: unknown; list: unknown[] } => typeof value === 'object' && value !== null && 'self' in value)!;
    expect(cycle.self).toBe(cycle);
    expect(cycle.list[1]).toBe(cycle);
  });
});

describe('records that look alike', () => {
  it.each([[0, 1], [1, 5], [7, 23]])('are not taken for each other, beginning with %i in steps of %i', async (from, step) => {
    alike.length = 0;
    await alikes.run({ from, step });
    const records = lookAlikes();
    const expected = numbers(records.length * 2).map((n) => structuredClone(records[(from + n * step) % records.length]));
    const text = (value: unknown): string => (value instanceof Error ? `${value.name} ${value.message} ${inspect({ ...value })}` : inspect(value, { depth: 5, sorted: true }));
    // Structured clone keeps no field of an error but name, message, stack and cause.
    expect(alike.map(text).toSorted()).toEqual(expected.map(text).toSorted());
  });
});

describe('the script form', () => {
  it('runs code behind submit once; workers see the program and its arguments', async () => {
    const { code, stdout, stderr } = await runScript(script, ['2']);
    expect({ code, stderr: stderr.replaceAll(/.*(SageWarning|trace-warnings).*\n/g, '') }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toEqual({
      isWorker: false,
      isolates: expect.toSatisfy((n: number) => n >= 2) as number,
      numbers: numbers(1000),
      threads: 2,
      arguments: ['2'],
      settings: ['a function'],
      groups: numbers(10).map((key) => ({ key, n: 100 })),
    });
    expect(lines[1]).toEqual({ isolates: 1, again: [2, 4, 6, 8] });
  });

  it('may submit after its top level is done, and two jobs at once', async () => {
    const { code, stdout, stderr } = await runScript(late);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      first: { isolates: expect.toSatisfy((n: number) => n >= 2) as number, numbers: [10, 20, 30, 40] },
      second: { isolates: 1, numbers: [100, 200, 300, 400] },
    });
  });

  it('that never submits in a worker is SAGE_WORKER_IMPORT', async () => {
    const { code, stderr } = await runScript(late, ['never']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/could not import .*late-parallel-script\.ts: it ended there without a submit/);
    expect(stderr).toContain('SAGE_WORKER_IMPORT');
  });

  it('without parallelism there is no worker', async () => {
    const { stdout } = await runScript(script, ['1']);
    expect(JSON.parse(stdout.split('\n')[0]!)).toMatchObject({ isolates: 1, threads: 1, numbers: numbers(1000) });
  });
});

describe('pipelines that workers cannot build', () => {
  it.each([['operator', 'doubled'], ['code', 'doubled'], ['argument', 'added']] as const)('another %s in the worker is SAGE_GRAPH_MISMATCH', async (how, name) => {
    await expect(mismatched.run(how)).rejects.toMatchObject({ code: 'SAGE_GRAPH_MISMATCH', message: expect.stringContaining(name) as string });
  });

  it('a module that cannot be imported is SAGE_WORKER_IMPORT', async () => {
    await expect(notImportable.run(undefined)).rejects.toMatchObject({ code: 'SAGE_WORKER_IMPORT', message: expect.stringContaining('wants the main thread') as string });
  });

  it('a graph of a test body keeps its instances in the main isolate, with the same results', async () => {
    const env = new LocalEnvironment('here', { parallelism: 3 });
    const captured: number[] = [];
    const records: number[] = [];
    const groups: { key: number; n: number }[] = [];
    const source = env.fromCollection(numbers(1000)).map((n) => {
      captured.push(n); // a lambda of the main isolate changes what it captured
      return n * 2;
    });
    source.sink(records);
    source.keyBy((n) => n % 10).aggregate({ n: count() }).sink(groups);
    expect(env.explain()).toContain('test body');
    const result = await env.submit({ autostop: true });
    expect(result.isolates).toBe(1);
    expect(records.toSorted((a, b) => a - b)).toEqual(numbers(1000).map((n) => n * 2));
    expect(captured.toSorted((a, b) => a - b)).toEqual(numbers(1000));
    expect(groups.toSorted((a, b) => a.key - b.key)).toEqual([0, 2, 4, 6, 8].map((key) => ({ key, n: 200 })));
  });

  it('arguments that cannot be cloned are refused by name', async () => {
    await expect(mismatched.run((() => 'operator') as never, { parallelism: 2 })).rejects.toMatchObject({
      code: 'SAGE_PLAN_UNCLONEABLE',
      message: expect.stringContaining("the pipeline's arguments") as string,
    });
  });

  it('so are settings', async () => {
    await expect(mismatched.run('operator', { parallelism: 2, onLate: () => 0 })).rejects.toMatchObject({
      code: 'SAGE_PLAN_UNCLONEABLE',
      message: expect.stringContaining("the setting 'onLate'") as string,
    });
  });

  it('isolated: true runs even one instance in a worker', async () => {
    arrived.length = 0;
    const result = await exchange.run([{ records: 10, upstream: 1, downstream: 1, keys: 'number', strategy: 'hash' }], { isolated: true });
    expect(arrived).toHaveLength(10);
    expect(result.isolates).toBeGreaterThanOrEqual(2);
    expect(arrived.every(({ fromThread }) => fromThread !== threadId)).toBe(true);
  });

  it('isolated: true is said by explain, with what stays in the main isolate and why', async () => {
    const text = await exchange.explain([{ records: 10, upstream: 1, downstream: 1, keys: 'number', strategy: 'hash' }], { isolated: true, level: 'physical' });
    expect(text).toMatch(/parallelism 1, worker 1 \(the environment is isolated\)/);
    expect(text).toMatch(/parallelism 1, main isolate \(.* lives in the main isolate\)/);
    expect(text).toMatch(/isolates: main and 1 worker thread \(the environment is isolated\)/);
  });
});
