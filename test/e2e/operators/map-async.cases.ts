import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import { type AsyncCall, type Job, LocalEnvironment, type MapAsyncOptions, MapFunction, count, session, tumbling } from '../../../ts/index.ts';
import { Random } from '../random/random.ts';
import { numbers, recordsOf, runToArray } from '../support/run-to-array.ts';
import { Overlap, thenable } from '../support/thenables.ts';

const sorted = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b);

/** Waits some turns of the event loop, differently for each number. */
async function someTurns(n: number): Promise<void> {
  for (let turns = (n * 7) % 5; turns > 0; turns--) await nextTurn();
}

/** An endless source of 0, 1, 2 ... that yields to the event loop. */
async function* endless(): AsyncGenerator<number> {
  for (let n = 0; ; n++) {
    await nextTurn();
    yield n;
  }
}

export function describeMapAsync(label: string): void {
  describe(`mapAsync, ${label}`, () => {
    it.each([1, 2, 7, 100])('keeps order with %i calls at a time, and has so many at most', async (concurrency) => {
      const overlap = new Overlap();
      const { records, result } = await runToArray((env) =>
        env.fromCollection(numbers(300)).mapAsync((n) => overlap.during(() => someTurns(n).then(() => n * 2)), { concurrency }),
      );
      expect(records).toEqual(numbers(300).map((n) => n * 2));
      expect(overlap.most).toBe(concurrency);
      expect(result.operators.find(({ name }) => name === 'mapAsync')).toMatchObject({ recordsIn: 300, recordsOut: 300 });
    });

    it('without order a slow call holds up nobody', async () => {
      const slow = Promise.withResolvers<number>();
      let others = 0;
      const records = await recordsOf((env) =>
        env.fromCollection(numbers(200)).mapAsync((n) => {
          if (n === 0) return slow.promise;
          if (++others === 199) slow.resolve(0);
          return nextTurn(n);
        }, { concurrency: 4, ordered: false }),
      );
      expect(records.indexOf(0)).toBeGreaterThan(190);
      expect(sorted(records)).toEqual(numbers(200));
    });

    it.each([1, 2, 3, 7])('keeps order, and event time behind it, where results of windows come to %i calls at a time', async (concurrency) => {
      // given: windows that close while the job runs, so that their results and those of calls wait at the same time
      const readings = numbers(200).map((n) => ({ n, at: n * 3 + ((n * 7) % 30) }));
      const starts = [...new Set(readings.map(({ at }) => at))].toSorted((a, b) => a - b);
      const called: number[] = [];
      // when
      const { records, result } = await runToArray((env) =>
        env
          .fromCollection(readings)
          .assignTimestamps('at', { outOfOrdernessMs: 30 })
          .window(tumbling(1))
          .aggregate({ n: count() })
          .mapAsync(async ({ window }) => {
            await someTurns(window.start);
            return { start: window.start };
          }, { concurrency })
          .map((window) => {
            called.push(window.start);
            return window;
          })
          .window(session(1))
          .aggregate({ windows: count() }),
      );
      // then
      expect(called).toEqual(starts);
      expect(records.reduce((sum, { windows }) => sum + windows, 0)).toBe(starts.length);
      expect(result.operators.map(({ recordsLate }) => recordsLate ?? 0)).toEqual(result.operators.map(() => 0));
    });

    it('in order, results behind a slow call wait, and not more than a bounded number of them', async () => {
      const slow = Promise.withResolvers<number>();
      const begun: number[] = [];
      const env = new LocalEnvironment();
      const records: number[] = [];
      env
        .fromCollection(numbers(5000))
        .mapAsync((n) => {
          begun.push(n);
          return n === 0 ? slow.promise : Promise.resolve(n);
        }, { concurrency: 4 })
        .sink(records);
      const job = await env.submit();
      let before = -1;
      await expect.poll(() => begun.length === before || ((before = begun.length), false), { interval: 10 }).toBe(true);
      expect(begun.length).toBeLessThanOrEqual(100);
      slow.resolve(0);
      await job.completion;
      expect(records).toEqual(numbers(5000));
    });

    it('synchronous results, thenables, undefined and null', async () => {
      const { records, result } = await runToArray((env) =>
        env.fromCollection(numbers(8)).mapAsync((n): unknown => [n, undefined, null, thenable(n), Promise.resolve(undefined), Promise.resolve(null), [n], 'text'][n], { concurrency: 3 }),
      );
      expect(records).toEqual([0, null, 3, null, [6], 'text']);
      expect(result.recordsDropped).toBe(2);
    });

    it('thousands in flight', async () => {
      const waiting: (() => void)[] = [];
      const records = await recordsOf((env) =>
        env.fromCollection(numbers(5000)).mapAsync(
          (n) =>
            new Promise<number>((resolve) => {
              waiting.push(() => resolve(n));
              // All that can be in flight are; then they settle, last first.
              if (waiting.length === 2500) for (const settle of waiting.splice(0).toReversed()) settle();
            }),
          { concurrency: 2500 },
        ),
      );
      expect(records).toEqual(numbers(5000));
    });

    it.each([true, false])('behind a flatMap of a huge list, another mapAsync and an asynchronous map; ordered: %s', async (ordered) => {
      const overlap = new Overlap();
      const records = await recordsOf((env) =>
        env
          .fromCollection([0, 1, 2])
          .flatMap((part) => numbers(3000).map((n) => part * 3000 + n))
          .mapAsync((n) => overlap.during(() => Promise.resolve(n)), { concurrency: 5, ordered })
          .map((n) => (n % 10 === 0 ? Promise.resolve(n) : n))
          .mapAsync(async (n) => n, { concurrency: 3, ordered }),
      );
      expect(ordered ? records : sorted(records)).toEqual(numbers(9000));
      expect(overlap.most).toBeLessThanOrEqual(5);
    });

    it('on a keyed stream one call of a key at a time without order; keys do not wait for each other', async () => {
      const running = new Map<number, number>();
      const begunOf = new Map<number, number[]>();
      const overlap = new Overlap();
      let most = 0;
      const records = await recordsOf((env) =>
        env
          .fromCollection(numbers(400))
          .keyBy((n) => (n < 100 ? 0 : n % 16))
          .mapAsync(
            (n, { key }) =>
              overlap.during(async () => {
                const id = key as number;
                running.set(id, (running.get(id) ?? 0) + 1);
                begunOf.set(id, [...(begunOf.get(id) ?? []), n]);
                most = Math.max(most, running.get(id)!);
                await nextTurn();
                running.set(id, running.get(id)! - 1);
                return n;
              }),
            { concurrency: 8, ordered: false },
          ),
      );
      expect(sorted(records)).toEqual(numbers(400));
      expect(most).toBe(1);
      expect(overlap.most).toBe(8);
      for (const begun of begunOf.values()) expect(begun).toEqual(sorted(begun));
    });

    it.each([1, 2])('calls of one key that give their result at once, and others that do not, behind many results of one record; %i per key', async (concurrencyPerKey) => {
      const records = await recordsOf((env) =>
        env
          .fromCollection(numbers(60))
          .keyBy((n) => n % 3)
          .flatMap(function* (n) {
            for (let part = 0; part < 20; part++) yield n * 20 + part;
          })
          .mapAsync((n) => (n % 7 === 0 ? nextTurn(n) : n % 5 === 0 ? Promise.resolve(n) : n), { concurrency: 2, concurrencyPerKey, ordered: false }),
      );
      expect(sorted(records)).toEqual(numbers(1200));
    });

    it.each([1, 2, 3])('calls of which some give their result at once while others are in flight, %i at a time: nobody waits for ever', async (concurrency) => {
      for (const every of [2, 3, 5]) {
        const records = await recordsOf((env) =>
          env
            .fromCollection([0, 100, 200])
            .flatMap((first) => numbers(30).map((n) => first + n))
            .mapAsync((n) => (n % every === 0 ? someTurns(n).then(() => n) : n), { concurrency }),
        );
        expect(records).toEqual([0, 100, 200].flatMap((first) => numbers(30).map((n) => first + n)));
      }
    });

    it.each([true, false])('calls of one key that settle while results of others are on their way: nobody waits for ever; ordered: %s', async (ordered) => {
      const all = numbers(300);
      const isDropped = (n: number): boolean => (n * 13) % 7 < 3;
      const records = await recordsOf((env) =>
        env
          .fromCollection(numbers(10))
          .keyBy((n) => n % 4)
          .flatMap(function* (n) {
            yield* all.slice(n * 30, n * 30 + 30);
          })
          .mapAsync((n) => {
            const result = isDropped(n) ? undefined : n;
            return [result, Promise.resolve(result), nextTurn(result), someTurns(n).then(() => result)][(n * 11) % 4];
          }, { concurrency: 2, concurrencyPerKey: 1, ordered })
          .map((n) => someTurns(n).then(() => n)),
      );
      const wanted = all.filter((n) => !isDropped(n));
      expect(ordered ? records : sorted(records)).toEqual(wanted);
    });

    it('a result that is there at once does not wait for the next record of a stream that has nothing yet', async () => {
      const stream = new Readable({ objectMode: true, read() {} });
      for (const n of [1, 2, 3]) stream.push(n);
      const env = new LocalEnvironment();
      const seen: number[] = [];
      env
        .fromSource<number>(stream)
        .mapAsync((n) => n, { concurrency: 2 })
        .sink((n) => {
          seen.push(n);
          if (n === 3) stream.push(null); // the stream ends once its last record is through
        });
      await env.submit({ autostop: true });
      expect(seen).toEqual([1, 2, 3]);
    });

    it('concurrencyPerKey in order', async () => {
      const overlap = new Overlap();
      const records = await recordsOf((env) =>
        env.fromCollection(numbers(60)).keyBy(() => 'one').mapAsync((n) => overlap.during(() => nextTurn(n)), { concurrency: 8, concurrencyPerKey: 2 }),
      );
      expect(records).toEqual(numbers(60));
      expect(overlap.most).toBe(2);
    });

    it('a call that runs out of time is aborted and repeated; what it gives later goes nowhere', async () => {
      const late: (() => void)[] = [];
      const reasons: unknown[] = [];
      const records = await recordsOf((env) =>
        env.fromCollection(numbers(6)).mapAsync(
          async (n, { attempt, signal }) => {
            if (n % 2 === 0 || attempt > 1) return `${n} at attempt ${attempt}`;
            return new Promise<string>((resolve) => {
              signal.addEventListener('abort', () => {
                reasons.push((signal.reason as { code: string }).code);
                late.push(() => resolve('late'));
                for (const settle of late.splice(0)) settle();
              });
            });
          },
          { concurrency: 3, timeoutMs: 20, retry: { retry: 1, backoffMs: 0 } },
        ),
      );
      expect(records).toEqual(numbers(6).map((n) => `${n} at attempt ${(n % 2) + 1}`));
      expect(reasons).toEqual(['SAGE_USER_TIMEOUT', 'SAGE_USER_TIMEOUT', 'SAGE_USER_TIMEOUT']);
    });

    it('without attempts left a timeout fails the job, and says so', async () => {
      const failed = recordsOf((env) => env.fromCollection([7]).mapAsync(() => new Promise(() => undefined), { concurrency: 1, timeoutMs: 5 }));
      await expect(failed).rejects.toMatchObject({ code: 'SAGE_USER_TIMEOUT', operator: 'mapAsync', record: 7, message: expect.stringContaining('5 ms') as string });
    });

    it.each([
      ['throws', 'SAGE_USER_THREW', (): never => { throw new Error('no'); }],
      ['rejects', 'SAGE_USER_REJECTED', (): Promise<never> => Promise.reject(new Error('no'))],
    ] as const)('a function that %s fails the job with its record', async (_, code, fail) => {
      const failed = recordsOf((env) => env.fromCollection(numbers(100)).mapAsync((n) => (n === 50 ? fail() : nextTurn(n)), { concurrency: 8 }));
      await expect(failed).rejects.toMatchObject({ code, operator: 'mapAsync', record: 50 });
    });

    it.each(['skip', 'deadLetter', 'retries'] as const)('failing calls in random order, %s: every record is there or counted', async (how) => {
      const random = new Random(7);
      const attempts = new Map<number, number>();
      const env = new LocalEnvironment();
      const records: number[] = [];
      const letters: unknown[] = [];
      const stream = env
        .fromCollection(numbers(500))
        .mapAsync(
          async (n) => {
            attempts.set(n, (attempts.get(n) ?? 0) + 1);
            for (let turns = random.below(4); turns > 0; turns--) await nextTurn();
            if (n % 7 === 0) throw new RangeError(`no ${n}`);
            return n;
          },
          { concurrency: 9, ...(how === 'retries' ? { retry: { retry: 2, backoffMs: 0 } } : {}) },
        )
        .onError(how === 'skip' ? 'skip' : 'deadLetter');
      stream.sink(records);
      if (how !== 'skip') stream.deadLetters<number>().sink((letter) => letters.push([letter.record, letter.attempts, letter.error.name, letter.error.message]));
      const result = await env.submit({ autostop: true });
      const failing = numbers(500).filter((n) => n % 7 === 0);
      const tries = how === 'retries' ? 3 : 1;
      expect(records).toEqual(numbers(500).filter((n) => n % 7 !== 0));
      expect(failing.map((n) => attempts.get(n))).toEqual(failing.map(() => tries));
      if (how === 'skip') expect([letters, result.recordsSkipped]).toEqual([[], failing.length]);
      else expect(letters.toSorted()).toEqual(failing.map((n) => [n, tries, 'RangeError', `no ${n}`]).toSorted());
    });

    it('an error behind it is not taken for its own', async () => {
      const failed = recordsOf((env) =>
        env
          .fromCollection(numbers(50))
          .mapAsync(async (n) => n, { concurrency: 4 })
          .onError('skip')
          .map((n) => {
            if (n === 20) throw new Error('behind');
            return n;
          }),
      );
      await expect(failed).rejects.toMatchObject({ operator: 'map', record: 20 });
    });

    it('a class with arguments is told of its call', async () => {
      class Scale extends MapFunction<number, string> {
        readonly #factor: number;
        constructor(factor: number) {
          super();
          this.#factor = factor;
        }
        async execute(n: number, call?: AsyncCall): Promise<string> {
          return `${n * this.#factor} ${call?.attempt} ${String(call?.key)} ${call?.signal.aborted}`;
        }
      }
      const options: MapAsyncOptions & { args: readonly [number] } = { concurrency: 2, args: [10] };
      expect(await recordsOf((env) => env.fromCollection([1, 2]).keyBy((n) => `k${n}`).mapAsync(Scale, options))).toEqual(['10 1 k1 false', '20 1 k2 false']);
    });
  });

  describe(`mapAsync while its job is told something, ${label}`, () => {
    const start = async (fn: (n: number, call: AsyncCall) => unknown, options: MapAsyncOptions): Promise<{ job: Job; records: unknown[] }> => {
      const env = new LocalEnvironment();
      const records: unknown[] = [];
      env.fromSource(endless, { unbounded: true }).mapAsync(fn, options).sink(records);
      return { job: await env.submit(), records };
    };

    it('cancel aborts the signals of what is in flight, also of calls that never settle', async () => {
      const signals: AbortSignal[] = [];
      const { job } = await start((_, { signal }) => {
        signals.push(signal);
        return new Promise(() => undefined);
      }, { concurrency: 5, timeoutMs: 60_000 });
      await expect.poll(() => signals.length, { interval: 1 }).toBe(5);
      await job.cancel();
      expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true, true, true]);
      expect(job.status).toBe('canceled');
    });

    it('stop lets what is in flight finish', async () => {
      const waiting: (() => void)[] = [];
      const { job, records } = await start((n) => new Promise((resolve) => waiting.push(() => resolve(n))), { concurrency: 5 });
      await expect.poll(() => waiting.length, { interval: 1 }).toBe(5);
      const stopping = job.stop();
      await nextTurn();
      for (const settle of waiting) settle();
      // Those that were taken but had to wait are begun now.
      const timer = setInterval(() => waiting.forEach((settle) => settle()), 1);
      const result = await stopping;
      clearInterval(timer);
      expect(records).toEqual(numbers(records.length));
      expect(result.operators.find(({ name }) => name === 'mapAsync')!.recordsIn).toBe(records.length);
      expect(result.recordsIn).toBe(records.length);
    });

    it.each([
      ['calls', { concurrency: 2 }, (n: number) => nextTurn(n)],
      ['repetitions', { concurrency: 2, retry: { retry: 1_000_000, backoffMs: 0 } }, (n: number) => (n < 20 ? nextTurn(n) : Promise.reject(new Error('again')))],
    ] as const)('no %s begin while it is paused', async (_, options, fn) => {
      let begun = 0;
      const { job } = await start((n) => {
        begun++;
        return fn(n);
      }, options);
      await expect.poll(() => begun, { interval: 1 }).toBeGreaterThan(30);
      await job.pause();
      let before = -1;
      // A step in hand may end.
      await expect.poll(() => begun === before || ((before = begun), false), { interval: 20 }).toBe(true);
      for (let n = 0; n < 50; n++) await nextTurn();
      expect(begun).toBe(before);
      await job.resume();
      await expect.poll(() => begun, { interval: 1 }).toBeGreaterThan(before + 10);
      await job.cancel();
    });

    it('one failing call aborts the others', async () => {
      const signals: AbortSignal[] = [];
      const { job } = await start((n, { signal }) => {
        if (n === 3) return nextTurn().then(() => Promise.reject(new Error('three')));
        signals.push(signal);
        return new Promise(() => undefined);
      }, { concurrency: 4 });
      await expect(job.completion).rejects.toMatchObject({ record: 3 });
      expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true]);
    });
  });
}
