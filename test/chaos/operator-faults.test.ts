// One record of a hundred fails in some way, under each error policy: every record is accounted for, and nothing piles up.
import { describe, expect, it, vi } from 'vitest';

import { type DataStream, type ErrorPolicy, type JobResult, KeyedProcessFunction, LocalEnvironment, type Logger } from '../../ts/index.ts';
import { SeededRandom } from '../../ts/testing/seeded-random.ts';
import { Workplace } from '../e2e/checkpoints/interrupted.ts';
import { heavy } from './support/heavy.ts';

vi.setConfig({ testTimeout: 60_000 });

const RECORDS = 3000;
const CONCURRENCY = 8;
/** How long a call may take. */
const TIMEOUT_MS = 20;
/** Results of one record that gives many. */
const HUGE = 2000;
const quiet: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => quiet };

interface Item {
  readonly n: number;
}
type Fault = 'throws' | 'rejects' | 'never resolves' | 'is slow' | 'gives a lot';
type Place = 'map' | 'flatMap' | 'mapAsync' | 'process' | 'sink';

/** About one record of a hundred, and how often each was met. */
class Faults {
  readonly bad: ReadonlySet<number>;
  readonly #fault: Fault;
  readonly #met = new Map<number, number>();
  readonly #times: number;
  inFlight = 0;
  mostInFlight = 0;

  /** @param times how often a bad record fails before it does not */
  constructor(seed: number, fault: Fault, times: number) {
    const random = new SeededRandom(seed);
    this.bad = new Set(Array.from({ length: RECORDS }, (_, n) => n).filter(() => random.below(100) === 0));
    this.#fault = fault;
    this.#times = times;
  }

  /** What happens at a record: nothing for most. */
  meet(n: number): Promise<void> | undefined {
    if (!this.bad.has(n)) return undefined;
    const met = (this.#met.get(n) ?? 0) + 1;
    this.#met.set(n, met);
    if (met > this.#times) return undefined;
    switch (this.#fault) {
      case 'throws':
        throw new Error(`${n} throws`);
      case 'rejects':
        return Promise.reject(new Error(`${n} rejects`));
      case 'never resolves':
        return new Promise(() => undefined);
      case 'is slow':
        return new Promise((resolve) => void setTimeout(resolve, 2));
      case 'gives a lot':
        return undefined;
    }
  }

  resultsOf(n: number): Item[] {
    return this.#fault === 'gives a lot' && this.bad.has(n) ? Array.from({ length: HUGE }, () => ({ n })) : [{ n }];
  }

  /** A call that is on its way for as long as the promise is not settled. */
  async call({ n }: Item): Promise<Item> {
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight);
    try {
      await this.meet(n);
      return { n };
    } finally {
      this.inFlight--;
    }
  }

  answer<T>({ n }: Item, value: T): T | Promise<T> {
    return this.meet(n)?.then(() => value) ?? value;
  }
}

const POLICIES: Readonly<Record<string, ErrorPolicy>> = {
  skip: 'skip',
  'dead letter': 'deadLetter',
  // oxlint-disable-next-line unicorn/no-thenable -- The policy's own word.
  'retry, then dead letter': { retry: 2, backoffMs: 0.1, then: 'deadLetter' },
};

/** The operator that fails, with its policy; a sink ends the stream. */
const operators: Readonly<Record<Place, (stream: DataStream<Item>, faults: Faults, policy: ErrorPolicy | undefined, out: Item[]) => void>> = {
  map: (stream, faults, policy, out) => finish(stream.map((item) => faults.answer(item, item)).named('faulty'), policy, out),
  flatMap: (stream, faults, policy, out) => finish(stream.flatMap((item) => faults.answer(item, faults.resultsOf(item.n))).named('faulty'), policy, out),
  mapAsync: (stream, faults, policy, out) => finish(stream.mapAsync((item) => faults.call(item), { concurrency: CONCURRENCY, timeoutMs: TIMEOUT_MS }).named('faulty'), policy, out),
  process: (stream, faults, policy, out) => finish(stream.keyBy(({ n }) => n % 5).process(class extends KeyedProcessFunction<number, Item, Item> {
    execute(item: Item): void | Promise<void> {
      this.ctx.state.value<number>('seen', { default: 0 }).update((before) => before + 1);
      this.collect(item);
      return faults.meet(item.n);
    }
  }).named('faulty'), policy, out),
  sink(stream, faults, policy, out) {
    const sunk = stream.sink((item) => faults.answer(item, undefined) ?? void out.push(item));
    if (policy === undefined) sunk.named('faulty');
    else sunk.named('faulty').onError(policy);
  },
};

function finish(stream: DataStream<Item>, policy: ErrorPolicy | undefined, out: Item[]): void {
  (policy === undefined ? stream : stream.onError(policy)).sink(out);
}

async function run(place: Place, faults: Faults, policy: ErrorPolicy): Promise<{ readonly result: JobResult; readonly out: readonly Item[] }> {
  const out: Item[] = [];
  const env = new LocalEnvironment('faults', { logger: quiet });
  operators[place](env.fromCollection(Array.from({ length: RECORDS }, (_, n): Item => ({ n }))), faults, policy, out);
  return { result: await env.submit({ autostop: true }), out };
}

/** Faults that a place can have; one that never comes back is one of calls, which have a timeout. */
const cases: readonly (readonly [Place, Fault])[] = [
  ...(['map', 'flatMap', 'mapAsync', 'process', 'sink'] as const).flatMap((place) => (['throws', 'rejects', 'is slow'] as const).map((fault) => [place, fault] as const)),
  ['mapAsync', 'never resolves'],
  ['flatMap', 'gives a lot'],
];
const SEEDS = heavy ? Array.from({ length: 10 }, (_, seed) => seed + 1) : [1];

describe.each(Object.entries(POLICIES))('an operator with the policy %s', (_name, policy) => {
  it.each(cases)('given a %s that %s at one record of a hundred, when the job has ended, then each record is in the output or a counter, and nothing piles up', async (place, fault) => {
    for (const seed of SEEDS) {
      const faults = new Faults(seed, fault, Number.POSITIVE_INFINITY);
      const { result, out } = await run(place, faults, policy);
      const what = `seed ${seed}`;
      const fails = fault === 'throws' || fault === 'rejects' || fault === 'never resolves';
      const faulty = result.operators.find(({ name }) => name === 'faulty')!;
      const failed = fails ? faults.bad.size : 0;
      expect(faults.bad.size, what).toBeGreaterThan(10);
      expect([faulty.recordsIn, faulty.recordsSkipped + faulty.deadLetters], what).toEqual([RECORDS, failed]);
      expect(policy === 'skip' ? faulty.recordsSkipped : faulty.deadLetters, what).toBe(failed);
      const good = Array.from({ length: RECORDS }, (_, n) => n).filter((n) => !fails || !faults.bad.has(n));
      const expected = good.flatMap((n) => (place === 'flatMap' ? faults.resultsOf(n).map((item) => item.n) : [n]));
      if (place !== 'sink' || fault !== 'is slow') expect(out.map(({ n }) => n).toSorted((a, b) => a - b), what).toEqual(expected);
      if (place !== 'sink') expect(faulty.recordsOut, what).toBe(expected.length);
      for (const { sent, received } of result.edges) expect(received, what).toBe(sent);
      // A call that never comes back is over for the job when its time is up.
      if (fault !== 'never resolves') expect(faults.mostInFlight, what).toBeLessThanOrEqual(CONCURRENCY);
    }
  });
});

describe('an operator that is tried again', () => {
  it.each(['map', 'flatMap', 'mapAsync', 'process', 'sink'] as const)('given a %s that fails once at one record of a hundred, when each is tried again, then none is lost or counted as failed', async (place) => {
    const faults = new Faults(3, 'throws', 1);
    // oxlint-disable-next-line unicorn/no-thenable -- The policy's own word.
    const { result, out } = await run(place, faults, { retry: 2, backoffMs: 0.1, then: 'fail' });
    expect(out.map(({ n }) => n).toSorted((a, b) => a - b)).toEqual(Array.from({ length: RECORDS }, (_, n) => n));
    expect(result.operators.find(({ name }) => name === 'faulty')).toMatchObject({ recordsIn: RECORDS, recordsSkipped: 0, deadLetters: 0 });
  });
});

describe('a job without a policy that is started again', () => {
  it.each(['map', 'mapAsync', 'process'] as const)('given a %s that fails once at one record of a hundred, when it goes on from its checkpoints each time, then the result is the undisturbed one', async (place) => {
    using workplace = new Workplace();
    const faults = new Faults(4, 'throws', 1);
    const env = new LocalEnvironment('restarts', {
      logger: quiet,
      restart: { kind: 'fixed', attempts: faults.bad.size, delayMs: 0 },
      checkpoint: { dir: workplace.path('checkpoints'), intervalMs: 2 },
    });
    const out: Item[] = [];
    operators[place](env.fromCollection(Array.from({ length: RECORDS }, (_, n): Item => ({ n }))), faults, undefined, out);
    const { restarts, status, edges } = await env.submit({ autostop: true });
    expect([status, restarts]).toEqual(['finished', faults.bad.size]);
    // A sink of the user is at-least-once: each record is there, those behind a checkpoint again.
    expect([...new Set(out.map(({ n }) => n))].toSorted((a, b) => a - b)).toEqual(Array.from({ length: RECORDS }, (_, n) => n));
    for (const { sent, received } of edges) expect(received).toBe(sent);
  });
});
