// One record of a hundred takes ten seconds, by a clock that the test moves: under each error policy, with and without a timeout that is shorter.
import { describe, expect, it, vi } from 'vitest';

import { type DataStream, type ErrorPolicy, type JobResult, KeyedProcessFunction, type Logger, SageError } from '../../ts/index.ts';
import { TestEnvironment } from '../../ts/testing/index.ts';
import { SeededRandom } from '../../ts/testing/seeded-random.ts';

vi.setConfig({ testTimeout: 60_000 });

const RECORDS = 500;
const CONCURRENCY = 4;
const SLOW_MS = 10_000;
const SHORT_MS = 4_000;
const LONG_MS = 60_000;
const RETRIES = 2;
const BACKOFF_MS = 1_000;
const SEED = 1;

const quiet: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => quiet };

interface Item {
  readonly n: number;
}
type Place = 'map' | 'flatMap' | 'process' | 'sink' | 'mapAsync' | 'ordered mapAsync';

/** Calls of a service of which some take long. */
class Service {
  readonly slow: ReadonlySet<number>;
  readonly #env: TestEnvironment;
  readonly #timeoutMs: number;
  /** Of slow records. */
  calls = 0;
  #inFlight = 0;
  mostInFlight = 0;

  /** @param timeoutMs after which nobody waits for a call any more */
  constructor(env: TestEnvironment, timeoutMs: number) {
    const random = new SeededRandom(SEED);
    this.slow = new Set(Array.from({ length: RECORDS }, (_, n) => n).filter(() => random.below(100) === 0));
    this.#env = env;
    this.#timeoutMs = timeoutMs;
  }

  call<T>(n: number, value: T): T | Promise<T> {
    if (!this.slow.has(n)) return value;
    this.calls++;
    this.mostInFlight = Math.max(this.mostInFlight, ++this.#inFlight);
    this.#env.clock.after(Math.min(SLOW_MS, this.#timeoutMs), () => this.#inFlight--);
    return new Promise((resolve) => void this.#env.clock.after(SLOW_MS, () => resolve(value)));
  }
}

const POLICIES: Readonly<Record<string, ErrorPolicy>> = {
  fail: 'fail',
  skip: 'skip',
  'dead letter': 'deadLetter',
  // oxlint-disable-next-line unicorn/no-thenable -- The policy's own word.
  'retry, then dead letter': { retry: RETRIES, backoffMs: BACKOFF_MS, then: 'deadLetter' },
};

/** The slow operator; a sink ends the stream. */
function build(place: Place, stream: DataStream<Item>, service: Service, timeoutMs: number, policy: ErrorPolicy, out: Item[]): void {
  const finish = (slow: DataStream<Item>): void => void slow.named('slow').onError(policy).sink(out);
  switch (place) {
    case 'map':
      return finish(stream.map((item) => service.call(item.n, item)));
    case 'flatMap':
      return finish(stream.flatMap((item) => service.call(item.n, [item])));
    case 'process':
      return finish(stream.keyBy(({ n }) => n % 5).process(class extends KeyedProcessFunction<number, Item, Item> {
        execute(item: Item): void | Promise<void> {
          this.collect(item);
          return service.call(item.n, undefined);
        }
      }));
    case 'sink':
      return void stream.sink((item) => service.call(item.n, undefined) ?? void out.push(item)).named('slow').onError(policy);
    case 'mapAsync':
    case 'ordered mapAsync':
      return finish(stream.mapAsync(async (item) => service.call(item.n, item), { concurrency: CONCURRENCY, timeoutMs, ordered: place === 'ordered mapAsync' }));
  }
}

interface Outcome<R> {
  readonly result: R;
  readonly out: readonly number[];
  readonly service: Service;
  readonly tookMs: number;
}

/** As `ended`, of a job that does not fail. */
async function run(place: Place, timeoutMs: number, policy: ErrorPolicy): Promise<Outcome<JobResult>> {
  const { result, ...rest } = await ended(place, timeoutMs, policy);
  if (result instanceof Error) throw result;
  return { ...rest, result };
}

/** Runs it to its end without waiting for any of it, and says how long it took by the clock. */
async function ended(place: Place, timeoutMs: number, policy: ErrorPolicy): Promise<Outcome<JobResult | SageError>> {
  await using env = new TestEnvironment({ seed: SEED, logger: quiet });
  const [out, service] = [[] as Item[], new Service(env, timeoutMs)];
  build(place, env.fromCollection(Array.from({ length: RECORDS }, (_, n): Item => ({ n }))), service, timeoutMs, policy, out);
  const job = await env.start();
  const completion = job.completion.catch((error: SageError) => error);
  while (job.status === 'running') {
    // Of a job that fails meanwhile it throws the error, as `completion` does.
    if (policy === 'fail') await env.advanceTime(1_000, { pending: 'leave' }).catch(() => undefined);
    else await env.advanceTime(1_000, { pending: 'leave' });
  }
  const result = await completion;
  return { result, out: out.map(({ n }) => n), service, tookMs: env.clock.now() };
}

describe.each(Object.entries(POLICIES))('an operator with the policy %s', (name, policy) => {
  it.each(['map', 'flatMap', 'process', 'sink', 'mapAsync', 'ordered mapAsync'] as const)('given a %s that takes ten seconds for one record of a hundred, when it has as long, then all records come out, and no more are in flight than may be', async (place) => {
    const { result, out, service, tookMs } = await run(place, LONG_MS, policy);
    const slow = result.operators.find((operator) => operator.name === 'slow')!;
    expect(service.slow.size).toBeGreaterThan(2);
    expect([slow.recordsIn, slow.recordsSkipped, slow.deadLetters, service.calls]).toEqual([RECORDS, 0, 0, service.slow.size]);
    const isCall = place.endsWith('mapAsync');
    const all = Array.from({ length: RECORDS }, (_, n) => n).filter((n) => place !== 'sink' || !service.slow.has(n));
    expect(place === 'mapAsync' ? out.toSorted((a, b) => a - b) : out).toEqual(place === 'process' ? expect.arrayContaining(all) : all);
    for (const { sent, received } of result.edges) expect(received).toBe(sent);
    expect(service.mostInFlight).toBeLessThanOrEqual(isCall ? CONCURRENCY : 1);
    // It was ten seconds: one after the other, or as many at once as may be.
    expect(tookMs).toBeGreaterThanOrEqual(SLOW_MS * Math.ceil(service.slow.size / (isCall ? CONCURRENCY : 1)) - SLOW_MS);
  });

  it.skipIf(policy === 'fail').each(['mapAsync', 'ordered mapAsync'] as const)('given a %s that takes ten seconds for one record of a hundred, when it has four, then each of them is counted as the policy says, and no more are in flight than may be', async (place) => {
    const { result, out, service, tookMs } = await run(place, SHORT_MS, policy);
    const slow = result.operators.find((operator) => operator.name === 'slow')!;
    const failed = service.slow.size;
    expect([slow.recordsIn, slow.recordsSkipped, slow.deadLetters, slow.recordsOut]).toEqual([RECORDS, policy === 'skip' ? failed : 0, policy === 'skip' ? 0 : failed, RECORDS - failed]);
    expect(out.toSorted((a, b) => a - b)).toEqual(Array.from({ length: RECORDS }, (_, n) => n).filter((n) => !service.slow.has(n)));
    if (place === 'ordered mapAsync') expect(out).toEqual(out.toSorted((a, b) => a - b));
    for (const { sent, received } of result.edges) expect(received).toBe(sent);
    const attempts = name.startsWith('retry') ? 1 + RETRIES : 1;
    expect(service.calls).toBe(attempts * failed);
    expect(service.mostInFlight).toBeLessThanOrEqual(CONCURRENCY);
    expect(tookMs).toBeGreaterThanOrEqual(SHORT_MS * attempts);
  });
});

it.each(['mapAsync', 'ordered mapAsync'] as const)('given a %s with the policy fail that takes ten seconds for one record of a hundred, when it has four, then the job fails with the first of them, and names record, operator and line', async (place) => {
  const { result, out, service, tookMs } = await ended(place, SHORT_MS, 'fail');
  expect(result).toBeInstanceOf(SageError);
  const { code, operator, declaredAt, message } = result as SageError;
  expect({ code, operator, declaredAt }).toEqual({ code: 'SAGE_USER_TIMEOUT', operator: 'slow', declaredAt: expect.objectContaining({ file: expect.stringContaining('slow-operators') as string }) as object });
  expect(message).toContain(`${SHORT_MS}`);
  const first = Math.min(...service.slow);
  // Nothing behind it when order is kept, and never what it stands for.
  if (place === 'ordered mapAsync') expect(out).toEqual(Array.from({ length: out.length }, (_, n) => n));
  expect(out.every((n) => !service.slow.has(n) && (place === 'mapAsync' || n < first))).toBe(true);
  expect(service.mostInFlight).toBeLessThanOrEqual(CONCURRENCY);
  expect([tookMs >= SHORT_MS, tookMs < SLOW_MS]).toEqual([true, true]);
});
