import { describe, expect, it } from 'vitest';

import {
  type DataStream,
  type DeadLetter,
  type ErrorPolicy,
  FlatMapFunction,
  LocalEnvironment,
  MapFunction,
  ProcessFunction,
  aggregator,
  collectList,
  count,
  countDistinct,
  sum,
  topN,
} from '../../../ts/index.ts';
import { numbers, recordsOf, runToArray } from '../support/run-to-array.ts';
import { refusing, thenable } from '../support/thenables.ts';

const retrying = (retry: number, last: 'fail' | 'skip' | 'deadLetter'): ErrorPolicy => ({
  retry,
  backoffMs: 0,
  // oxlint-disable-next-line unicorn/no-thenable -- the name of the setting; a word is no function
  then: last,
});

const isBad = (n: number): boolean => n % 4 === 1;
const fail = (n: number): never => {
  throw new RangeError(`bad ${n}`);
};

/** How a function fails, and where it can. */
const failing: Readonly<Record<string, (stream: DataStream<number>) => DataStream<unknown>>> = {
  'a map': (stream) => stream.map((n) => (isBad(n) ? fail(n) : n)),
  'a map that rejects': (stream) => stream.map(async (n) => (isBad(n) ? fail(n) : n)),
  'a map that throws or rejects in turn': (stream) => stream.map((n) => (isBad(n) ? (n % 8 === 1 ? fail(n) : Promise.reject(new RangeError(`bad ${n}`))) : n)),
  'a map that gives thenables': (stream) => stream.map((n) => (isBad(n) ? refusing(new RangeError(`bad ${n}`)) : thenable(n))),
  'a flatMap': (stream) => stream.flatMap((n) => (isBad(n) ? fail(n) : [n])),
  'a generator half way': (stream) => stream.flatMap(function* (n) {
    yield n;
    if (isBad(n)) fail(n);
  }),
  'an asynchronous generator half way': (stream) => stream.flatMap(async function* (n) {
    yield n;
    if (isBad(n)) fail(n);
  }),
  'a collecting class': (stream) => stream.flatMap(Collects, false),
  'a collecting class that rejects': (stream) => stream.flatMap(Collects, true),
  'a process function': (stream) => stream.process(Processes, false),
  'a process function that rejects': (stream) => stream.process(Processes, true),
  'a mapAsync': (stream) => stream.mapAsync((n) => (isBad(n) ? fail(n) : n), { concurrency: 3 }),
  'a mapAsync that rejects': (stream) => stream.mapAsync(async (n) => (isBad(n) ? fail(n) : n), { concurrency: 3 }),
  'a keyBy': (stream) => stream.keyBy((n) => (isBad(n) ? fail(n) : n)),
  'a dedup': (stream) => stream.dedup((n) => (isBad(n) ? fail(n) : n)),
  'a route': (stream) => stream.route((n) => (isBad(n) ? fail(n) : 'a')),
};

class Collects extends FlatMapFunction<number, number> {
  readonly #later: boolean;
  constructor(later: boolean) {
    super();
    this.#later = later;
  }
  execute(n: number): number[] | Promise<number[]> {
    this.collect(n);
    if (this.#later) return Promise.resolve().then(() => (isBad(n) ? fail(n) : []));
    return isBad(n) ? fail(n) : [];
  }
}

class Processes extends ProcessFunction<number, number> {
  readonly #later: boolean;
  constructor(later: boolean) {
    super();
    this.#later = later;
  }
  execute(n: number): unknown {
    this.collect(n);
    if (this.#later) return Promise.resolve().then(() => isBad(n) && fail(n));
    return isBad(n) && fail(n);
  }
}

export function describePolicies(label: string): void {
  describe(`error policies, ${label}`, () => {
    const good = numbers(40).filter((n) => !isBad(n));
    const bad = numbers(40).filter(isBad);

    for (const [name, build] of Object.entries(failing)) {
      it(`${name}: skipped records leave nothing, dead letters have all that is known, retries come first`, async () => {
        const skipped = await runToArray((env) => build(env.fromCollection(numbers(40))).onError('skip'));
        expect([skipped.records, skipped.result.recordsSkipped]).toEqual([good, bad.length]);
        for (const [policy, attempts] of [['deadLetter', 1], [retrying(2, 'deadLetter'), 3]] as const) {
          const env = new LocalEnvironment();
          const records: unknown[] = [];
          const letters: DeadLetter<unknown>[] = [];
          const stream = build(env.fromCollection(numbers(40))).named('culprit').onError(policy);
          stream.sink(records);
          stream.deadLetters().sink(letters);
          const result = await env.submit({ autostop: true });
          expect(records).toEqual(good);
          expect(letters.map(({ record }) => record).toSorted((a, b) => (a as number) - (b as number))).toEqual(bad);
          for (const letter of letters) {
            expect(letter).toMatchObject({ operator: 'culprit', attempts, error: { name: 'RangeError', message: `bad ${String(letter.record)}`, code: 'SAGE_USER_THREW' } });
            expect(letter.declaredAt.file).toContain('policies.cases.ts');
          }
          expect(result.operators.find((operator) => operator.name === 'culprit')).toMatchObject({ recordsIn: 40, recordsOut: good.length, deadLetters: bad.length });
        }
      });

      it(`${name}: without a policy, and when retries have been in vain, the job fails with the record`, async () => {
        for (const policy of ['fail', retrying(1, 'fail')] as const) {
          const failed = recordsOf((env) => build(env.fromCollection(numbers(40))).named('culprit').onError(policy));
          await expect(failed).rejects.toMatchObject({ operator: 'culprit', record: 1, cause: expect.objectContaining({ message: 'bad 1' }) as unknown });
        }
      });
    }

    it.each([undefined, 'fail', retrying(2, 'fail')] as const)('the code says whether the function threw or rejected, with the policy %j', async (policy) => {
      const codeOf = (fn: (n: number) => unknown): Promise<unknown> =>
        recordsOf((env) => {
          const mapped = env.fromCollection([1]).map(fn);
          return policy === undefined ? mapped : mapped.onError(policy);
        }).catch((error: unknown) => (error as { code: unknown }).code);
      expect(await codeOf((n) => fail(n))).toBe('SAGE_USER_THREW');
      expect(await codeOf(async (n) => fail(n))).toBe('SAGE_USER_REJECTED');
    });

    it('a filter that fails', async () => {
      const { records, result } = await runToArray((env) => env.fromCollection(numbers(40)).filter((n) => (isBad(n) ? fail(n) : n % 2 === 0)).onError('skip'));
      expect([records, result.recordsSkipped]).toEqual([numbers(40).filter((n) => n % 2 === 0), bad.length]);
    });

    it('a retry that succeeds keeps the place of its record, and nothing of the attempts before', async () => {
      class Third extends FlatMapFunction<number, string> {
        readonly #tries = new Map<number, number>();
        *execute(n: number): Generator<string> {
          const attempt = (this.#tries.get(n) ?? 0) + 1;
          this.#tries.set(n, attempt);
          this.collect(`collected ${n} at ${attempt}`);
          this.output('side', `side ${n} at ${attempt}`);
          yield `yielded ${n} at ${attempt}`;
          if (isBad(n) && attempt < 3) fail(n);
        }
      }
      const env = new LocalEnvironment();
      const [records, sides]: string[][] = [[], []];
      const stream = env.fromCollection(numbers(6)).flatMap(Third).onError(retrying(2, 'fail'));
      stream.sink(records!);
      stream.sideOutput<string>('side').sink(sides!);
      await env.submit({ autostop: true });
      const attemptOf = (n: number): number => (isBad(n) ? 3 : 1);
      expect(records).toEqual(numbers(6).flatMap((n) => [`collected ${n} at ${attemptOf(n)}`, `yielded ${n} at ${attemptOf(n)}`]));
      expect(sides).toEqual(numbers(6).map((n) => `side ${n} at ${attemptOf(n)}`));
    });

    it.each([false, true])('side outputs of a failing record go nowhere; later: %s', async (later) => {
      class Outputs extends MapFunction<number, number> {
        execute(n: number): number | Promise<number> {
          this.output('side', n);
          if (later) return Promise.resolve().then(() => (isBad(n) ? fail(n) : n));
          return isBad(n) ? fail(n) : n;
        }
      }
      const env = new LocalEnvironment();
      const [records, sides]: number[][] = [[], []];
      const stream = env.fromCollection(numbers(40)).map(Outputs).onError('skip');
      stream.sink(records!);
      stream.sideOutput<number>('side').sink(sides!);
      await env.submit({ autostop: true });
      expect([records, sides]).toEqual([good, good]);
    });

    const behind: Readonly<Record<string, (env: LocalEnvironment) => DataStream<unknown>>> = {
      map: (env) => env.fromCollection(numbers(9)).map((n) => n).onError('skip'),
      'asynchronous map': (env) => env.fromCollection(numbers(9)).map(async (n) => n).onError('skip'),
      flatMap: (env) => env.fromCollection([0]).flatMap(function* () {
        yield* numbers(9);
      }).onError('skip'),
      'asynchronous flatMap': (env) => env.fromCollection([0]).flatMap(async function* () {
        yield* numbers(9);
      }).onError('skip'),
      'a retry': (env) => {
        let tried = false;
        return env.fromCollection(numbers(9)).map((n) => {
          if (n !== 5 || tried) return n;
          tried = true;
          return fail(n);
        }).onError(retrying(1, 'skip'));
      },
      mapAsync: (env) => env.fromCollection(numbers(9)).mapAsync(async (n) => n, { concurrency: 2 }).onError('skip'),
      batch: (env) => env.fromCollection(numbers(9)).batch({ max: 1 }).onError('skip').flatMap((batch) => batch),
      dedup: (env) => env.fromCollection(numbers(9)).dedup().onError('skip'),
      'a running aggregate': (env) => env.fromCollection(numbers(9)).aggregate({ n: count() }, { emit: 'update' }).onError('skip').map(({ n }) => n - 1),
      'a side output': (env) => {
        class Out extends MapFunction<number, number> {
          execute(n: number): number {
            this.output('side', n);
            return n;
          }
        }
        return env.fromCollection(numbers(9)).map(Out).onError('skip').sideOutput('side');
      },
      'a dead letter': (env) => env.fromCollection(numbers(9)).map(fail).onError('deadLetter').deadLetters().map(({ record }) => record),
    };
    for (const [name, build] of Object.entries(behind)) {
      it.each(['throws', 'rejects'])(`what %s behind ${name} is not taken for a failure of it`, async (how) => {
        const failed = recordsOf((env) => build(env).map((n) => (n === 5 ? (how === 'throws' ? fail(5) : Promise.reject(new RangeError('bad 5'))) : n)).named('behind'));
        await expect(failed).rejects.toMatchObject({ operator: 'behind', record: 5 });
      });
    }

    it.each([['no policy', undefined], ['another one', 'skip'], ['another one behind retries', retrying(1, 'fail')]] as const)('dead letters of an operator with %s are a plan error', (_, policy) => {
      const env = new LocalEnvironment();
      const stream = env.fromCollection([1]).map((n) => n);
      if (policy !== undefined) stream.onError(policy);
      stream.deadLetters().sink(() => undefined);
      stream.sink(() => undefined);
      expect(() => env.explain()).toThrow(expect.objectContaining({ code: 'SAGE_PLAN_ARGUMENT', message: expect.stringContaining("onError('deadLetter')") as string }));
    });

    it('whatever is thrown becomes a dead letter', async () => {
      const unreadable = Object.defineProperty(new Error('x'), 'message', { get: () => fail(0) });
      const thrown: readonly (readonly [unknown, string, string])[] = [
        [null, 'null', 'null'],
        [undefined, 'undefined', 'undefined'],
        ['text', 'string', 'text'],
        [Symbol('s'), 'symbol', 'Symbol(s)'],
        [{ a: 1 }, 'object', '{ a: 1 }'],
        [Object.create(null), 'object', '[Object: null prototype] {}'],
        [unreadable, 'Error', 'undefined'],
        [Object.assign(new Error('named'), { name: 5 }), '5', 'named'],
      ];
      const env = new LocalEnvironment();
      const letters: DeadLetter<unknown>[] = [];
      const stream = env.fromCollection(numbers(thrown.length)).map((n) => {
        throw thrown[n]![0];
      }).onError('deadLetter');
      stream.sink([]);
      stream.deadLetters().sink(letters);
      await env.submit({ autostop: true });
      expect(letters.map(({ error }) => [error.name, error.message])).toEqual(thrown.map(([, name, message]) => [name, message]));
    });

    it('two readers of the dead letters get all of them, one after the other', async () => {
      const env = new LocalEnvironment();
      const log: string[] = [];
      const stream = env.fromCollection(numbers(10)).map((n) => (isBad(n) ? fail(n) : n)).onError('deadLetter');
      stream.deadLetters().map(async ({ record }) => record).sink((record) => log.push(`a${String(record)}`));
      stream.deadLetters().sink(({ record }) => log.push(`b${String(record)}`));
      stream.sink((n) => log.push(`${n}`));
      await env.submit({ autostop: true });
      expect(log).toEqual(numbers(10).flatMap((n) => (isBad(n) ? [`a${n}`, `b${n}`] : [`${n}`])));
    });

    it('a sink that fails', async () => {
      const env = new LocalEnvironment();
      const written: number[] = [];
      const letters: unknown[] = [];
      env
        .fromCollection(numbers(10))
        .sink((n) => (isBad(n) ? fail(n) : written.push(n)))
        .onError('deadLetter')
        .deadLetters()
        .sink(({ record, operator }) => letters.push([record, operator]));
      const result = await env.submit({ autostop: true });
      expect(written).toEqual(numbers(10).filter((n) => !isBad(n)));
      expect(letters).toEqual([[1, 'sink'], [5, 'sink'], [9, 'sink']]);
      expect(result.deadLetters).toBe(3);
    });

    it.each([['keyed', true], ['over all records', false]] as const)('aggregates are all or nothing, %s', async (_, keyed) => {
      const env = new LocalEnvironment();
      const results: unknown[] = [];
      const checked = aggregator({ init: () => 0, add: async (a: number, n: number) => (isBad(n) ? fail(n) : a + n), result: (a) => a });
      const source = env.fromCollection(numbers(40));
      const spec = { n: count(), list: collectList<number>(), total: sum((n: number) => (n === 6 ? fail(6) : n)), different: countDistinct<number>((n) => (n === 10 ? fail(10) : n)), top: topN<number>(2, (n) => n), checked };
      (keyed ? source.keyBy(() => 'k') : source).aggregate(spec).onError('skip').sink((result) => results.push(result));
      await env.submit({ autostop: true });
      const left = good.filter((n) => n !== 6 && n !== 10);
      const total = left.reduce((a, b) => a + b, 0);
      expect(results).toEqual([{ ...(keyed ? { key: 'k' } : {}), n: left.length, list: left, total, different: left.length, top: [39, 38].filter((n) => !isBad(n)), checked: total }]);
    });

    it.each(['now', 'later'])('a reduce, keyed and not, goes on with the value before: %s', async (when) => {
      const add = (a: number, b: number): number | Promise<number> => (when === 'now' ? (isBad(b) ? fail(b) : a + b) : Promise.resolve().then(() => (isBad(b) ? fail(b) : a + b)));
      const total = good.reduce((a, b) => a + b, 0);
      expect(await recordsOf((env) => env.fromCollection(numbers(40)).reduce(add).onError('skip'))).toEqual([total]);
      expect(await recordsOf((env) => env.fromCollection(numbers(40)).keyBy(() => 1).reduce(add).onError('skip'))).toEqual([total]);
      const running = await recordsOf((env) => env.fromCollection(numbers(40)).reduce(add, { emit: 'update' }).onError('skip'));
      expect(running).toEqual(good.map((_, n) => good.slice(0, n + 1).reduce((a, b) => a + b, 0)));
    });

    it('the state of a reduce that its own dead letters come back to is not mixed up', async () => {
      const records = await recordsOf((env) => {
        const stream = env.fromCollection(numbers(40)).map((n) => (isBad(n) ? fail(n) : n)).onError('deadLetter');
        return stream.union(stream.deadLetters<number>().map(({ record }) => record)).reduce((a, b) => a + b);
      });
      expect(records).toEqual([(39 * 40) / 2]);
    });

    it('a value that cannot be a key is a failure of the keyBy, whatever follows', async () => {
      const key = (n: number): unknown => (isBad(n) ? new Map() : n % 2);
      for (const select of [key, async (n: number) => key(n)]) {
        const { records, result } = await runToArray((env) => env.fromCollection(numbers(40)).keyBy(select).onError('skip').aggregate({ n: count() }));
        expect(records).toEqual([{ key: 0, n: 20 }, { key: 1, n: 10 }]);
        expect(result.operators.find(({ name }) => name === 'keyBy')).toMatchObject({ recordsIn: 40, recordsOut: 30, recordsSkipped: 10 });
        await expect(recordsOf((env) => env.fromCollection(numbers(40)).keyBy(select).reduce((a, b) => a + b).onError('skip'))).rejects.toMatchObject({ code: 'SAGE_KEY_UNSUPPORTED' });
      }
    });

    it('a list of any length is one result; what is made one by one is held up to a limit', async () => {
      const many = numbers(70_000);
      expect(await recordsOf((env) => env.fromCollection([1]).flatMap(() => many).onError('skip').aggregate({ n: count() }))).toEqual([{ n: 70_000 }]);
      const env = new LocalEnvironment();
      const letters: string[] = [];
      const stream = env.fromCollection([1]).flatMap(function* () {
        yield* many;
      }).onError('deadLetter');
      stream.sink(() => fail(0));
      stream.deadLetters().sink(({ error }) => letters.push(error.code));
      await env.submit({ autostop: true });
      expect(letters).toEqual(['SAGE_LIMIT_HELD_RESULTS']);
    });

    it.each(['open', 'close', 'finish'] as const)('an error in %s is no failure of a record', async (step) => {
      class Fails extends ProcessFunction<number, number> {
        execute(n: number): void {
          this.collect(n);
        }
        override async open(): Promise<void> {
          if (step === 'open') fail(0);
        }
        override close(): void {
          if (step === 'close') fail(0);
        }
        override async finish(): Promise<void> {
          if (step === 'finish') fail(0);
        }
      }
      await expect(recordsOf((env) => env.fromCollection([1, 2]).process(Fails).onError('skip'))).rejects.toMatchObject({ operator: 'process' });
    });
  });
}
