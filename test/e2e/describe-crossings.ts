import { describe, expect, it } from 'vitest';

import { type DataStream, type KeyedStream, LocalEnvironment, aggregator, collectList, count, countWindow, session, sliding, tumbling } from '../../ts/index.ts';
import type { Core } from '../../ts/runtime/native/core.ts';
import { crossingsOf } from './support/counted-core.ts';

interface Reading {
  readonly key: string;
  readonly at: number;
  readonly value: number;
}

const RECORDS = 40_000;
const KEYS = 200;
/** What a batch of an operator has where nothing else cuts it. */
const BATCH_ROWS = 1024;
/** Calls for each batch that is worked on: some for the batch, and some for results and watermarks behind it. */
const MOST_CALLS_A_BATCH = 12;
/** Keys that a batch has, and results that it makes due, are many more than the calls that are allowed for it. */
const readings: readonly Reading[] = Array.from({ length: RECORDS }, (_, n) => ({ key: `key ${(n * 7) % KEYS}`, at: n / 10, value: n % 13 }));

const total = aggregator({ init: () => 0, add: (sum: number, { value }: Reading) => sum + value, merge: (a, b) => a + b, result: (sum) => sum });
const later = (a: Reading, b: Reading): Reading => (b.at > a.at ? b : a);

type Operators = Readonly<Record<string, (stream: KeyedStream<string, Reading>) => DataStream<unknown>>>;

const operators: Operators = {
  'a keyed reduce': (stream) => stream.reduce(later),
  'a keyed aggregate of the user': (stream) => stream.aggregate({ total }),
  'a keyed aggregate of the user beside one of the core': (stream) => stream.aggregate({ total, n: count() }),
  'a keyed list': (stream) => stream.aggregate({ all: collectList<Reading>() }),
  'a reduce of tumbling windows': (stream) => stream.window(tumbling(100)).reduce(later),
  'an aggregate of the user of tumbling windows': (stream) => stream.window(tumbling(100)).aggregate({ total }),
  'an aggregate of the user of sliding windows': (stream) => stream.window(sliding(100, 20)).aggregate({ total }),
  'an aggregate of the user of sessions': (stream) => stream.window(session(15)).aggregate({ total, n: count() }),
  'a reduce of sessions that a record begins and ends': (stream) => stream.window(session(5)).reduce(later),
  'an aggregate of the user of windows of records': (stream) => stream.window(countWindow(10, 5)).aggregate({ total }),
  'the greatest of tumbling windows': (stream) => stream.window(tumbling(100)).topN(2, 'value'),
  'all elements of tumbling windows': (stream) => stream.window(tumbling(100)).map(({ elements }) => elements.length),
};

/** Where no code is generated these give each result at once, for a call of its own: their records do not wait for a batch. */
const running: Operators = {
  'a keyed reduce with a result for each record': (stream) => stream.reduce(later, { emit: 'update' }),
  'a keyed aggregate of the user with a result for each record': (stream) => stream.aggregate({ total }, { emit: 'update' }),
};

async function crossings(records: readonly Reading[], parallelism: number, operator: (stream: KeyedStream<string, Reading>) => DataStream<unknown>): Promise<ReadonlyMap<keyof Core, number>> {
  let results = 0;
  const calls = await crossingsOf(async () => {
    const env = new LocalEnvironment('crossings');
    const keyed = env.fromCollection(records).assignTimestamps('at', { outOfOrdernessMs: 0 }).parallelism(1).keyBy('key').parallelism(parallelism);
    operator(keyed).sink(() => {
      results++;
    });
    await env.submit({ autostop: true });
  });
  // It has done its work.
  expect(results).toBeGreaterThanOrEqual(records.length === 0 ? 0 : KEYS);
  return calls;
}

const sum = (calls: ReadonlyMap<keyof Core, number>): number => [...calls.values()].reduce((a, b) => a + b, 0);

/** How often functions of the user that aggregate cross into the core, in generated code and in the linked form. */
export function describeCrossings(form: string, hasCode: boolean): void {
  const all: Operators = hasCode ? { ...operators, ...running } : operators;
  describe(`the core is called a constant number of times a batch, ${form}`, () => {
    it.each(Object.keys(all).flatMap((name) => [1, 2].map((parallelism) => [name, parallelism] as const)))('by %s, at parallelism %i', async (name, parallelism) => {
      const fixed = sum(await crossings([], parallelism, all[name]!));
      const calls = await crossings(readings, parallelism, all[name]!);
      // What comes over an exchange comes in batches of its own.
      const batches = Math.ceil(RECORDS / BATCH_ROWS) + (calls.get('take') ?? 0) + (calls.get('emit') ?? 0);
      expect(batches, 'batches have many records').toBeLessThan(RECORDS / 50);
      expect(sum(calls) - fixed, JSON.stringify([...calls])).toBeLessThanOrEqual(batches * MOST_CALLS_A_BATCH);
    });
  });
}
