import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import { type DataStream, type DeadLetter, type ErrorPolicy, FileSource, type Job, LocalEnvironment, ProcessFunction, sum } from '../../../ts/index.ts';
import { numbers, runToArray } from '../support/run-to-array.ts';

const retrying = (retry: number, last: 'fail' | 'skip' | 'deadLetter', backoffMs = 0): ErrorPolicy => ({
  retry,
  backoffMs,
  // oxlint-disable-next-line unicorn/no-thenable -- the name of the setting; a word is no function
  then: last,
});

class Collects extends ProcessFunction<number, number> {
  async execute(n: number): Promise<void> {
    if (n % 3 === 0) await nextTurn();
    this.collect(n);
  }
}

/** Fails at the first attempt at some records. */
function flaky(): (n: number) => number {
  const tried = new Set<number>();
  return (n) => {
    if (n % 5 !== 2 || tried.has(n)) return n;
    tried.add(n);
    throw new RangeError(`once ${n}`);
  };
}

/** Pipelines that give each number once, whatever they do with it in between. */
const pipelines: Readonly<Record<string, (stream: DataStream<number>) => DataStream<number>>> = {
  'a map with retries': (stream) => stream.map(flaky()).onError(retrying(1, 'fail')),
  'generators under a policy': (stream) =>
    stream
      .flatMap(function* (n) {
        yield n;
      })
      .onError('skip')
      .flatMap(async function* (n) {
        if (n % 4 === 0) await nextTurn();
        yield n;
      })
      .onError('deadLetter'),
  'a mapAsync with retries': (stream) => {
    const fn = flaky();
    return stream.mapAsync((n) => nextTurn().then(() => fn(n)), { concurrency: 5, retry: { retry: 1, backoffMs: 0 } });
  },
  'two mapAsync': (stream) => stream.mapAsync((n) => nextTurn(n), { concurrency: 5 }).mapAsync((n) => nextTurn(n), { concurrency: 2 }),
  'batches and mapAsync': (stream) => stream.batch({ max: 7 }).mapAsync((batch) => nextTurn(batch), { concurrency: 3 }).flatMap((batch) => batch),
  'keyed batches by time': (stream) => stream.keyBy((n) => n % 3).batch({ max: 4, waitMs: 1 }).flatMap((batch) => batch),
  'a process function': (stream) => stream.process(Collects),
  'a dedup behind a route': (stream) => stream.route((n) => (n % 2 === 0 ? 'even' : 'odd'), { even: (s) => s.map((n) => n), default: (s) => s.map(async (n) => n) }).dedup(),
  'keyed calls without order': (stream) => stream.keyBy((n) => n % 4).mapAsync((n) => nextTurn(n), { concurrency: 6, ordered: false }).rebalance(),
};

/** A job over 0, 1, 2 ... that never ends by itself. */
async function start(build: (stream: DataStream<number>) => DataStream<number>): Promise<{ job: Job; records: number[] }> {
  const env = new LocalEnvironment();
  const records: number[] = [];
  const source = env.fromSource(async function* () {
    for (let n = 0; ; n++) {
      if (n % 10 === 0) await nextTurn();
      yield n;
    }
  }, { unbounded: true });
  build(source).sink(records);
  return { job: await env.submit(), records };
}

const some = (records: readonly number[], atLeast: number): Promise<void> => expect.poll(() => records.length, { interval: 1, timeout: 10_000 }).toBeGreaterThanOrEqual(atLeast);
const sorted = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b);

export function describeTold(label: string): void {
  describe(`operators of a job that is told something, ${label}`, () => {
    for (const [name, build] of Object.entries(pipelines)) {
      it(`${name}: pause and resume lose nothing, and after stop every record of the source has arrived once`, async () => {
        const { job, records } = await start(build);
        await some(records, 50);
        await job.pause();
        let before = -1;
        await expect.poll(() => records.length === before || ((before = records.length), false), { interval: 20, timeout: 10_000 }).toBe(true);
        await job.resume();
        await some(records, before + 50);
        const result = await job.stop();
        expect(result.status).toBe('stopped');
        expect(sorted(records)).toEqual(numbers(result.recordsIn));
      });

      it(`${name}: cancel ends it at once, paused or not`, async () => {
        for (const paused of [false, true]) {
          const { job, records } = await start(build);
          await some(records, 20);
          if (paused) await job.pause();
          await job.cancel();
          expect(job.status).toBe('canceled');
          const { length } = records;
          await nextTurn();
          expect(records).toHaveLength(length);
        }
      });
    }

    it.each(['map', 'mapAsync', 'flatMap'] as const)('cancel does not wait for a long pause before a retry: %s', async (call) => {
      const begun = Promise.withResolvers<void>();
      const fail = (): never => {
        begun.resolve();
        throw new Error('no');
      };
      const { job } = await start((stream) => {
        if (call === 'mapAsync') return stream.mapAsync(fail, { concurrency: 3, retry: { retry: 5, backoffMs: 60_000 } });
        return (call === 'map' ? stream.map(fail) : stream.flatMap(fail as () => number[])).onError(retrying(5, 'skip', 60_000));
      });
      await begun.promise;
      await job.cancel();
      expect(job.status).toBe('canceled');
    });

    it('cancel leaves a generator whose results are held back', async () => {
      const begun = Promise.withResolvers<void>();
      let left = false;
      const { job } = await start((stream) =>
        stream
          .flatMap(() => ({
            [Symbol.asyncIterator]: () => ({
              next: (): Promise<IteratorResult<number>> => {
                begun.resolve();
                return new Promise(() => undefined);
              },
              return: async (): Promise<IteratorResult<number>> => {
                left = true;
                return { done: true, value: undefined };
              },
            }),
          }))
          .onError('skip'),
      );
      await begun.promise;
      await job.cancel();
      expect(left).toBe(true);
    });

    it('a branch that hangs lets the others have what was taken, and no more; cancel ends both', async () => {
      const env = new LocalEnvironment();
      const records: number[] = [];
      let taken = 0;
      const source = env.fromSource(function* () {
        for (;;) yield taken++;
      }, { unbounded: true });
      source.sink(records);
      source.mapAsync(() => new Promise<number>(() => undefined), { concurrency: 3 }).sink(() => undefined);
      const job = await env.submit();
      let before = -1;
      await expect.poll(() => taken === before || ((before = taken), false), { interval: 20, timeout: 10_000 }).toBe(true);
      expect(records).toEqual(numbers(taken));
      expect(taken).toBeLessThan(100);
      await job.cancel();
    });
  });

  describe(`dead letters of records on their way, ${label}`, () => {
    it('what cannot be sent to another task is a failure of who gave it', async () => {
      const env = new LocalEnvironment();
      const [records, letters]: [unknown[], DeadLetter<unknown>[]] = [[], []];
      const stream = env.fromCollection(numbers(6)).map((n) => (n === 2 ? { n, call: () => n } : { n })).parallelism(2).onError('deadLetter');
      stream.sink((record) => records.push(record));
      stream.deadLetters().sink(letters);
      const result = await env.submit({ autostop: true });
      expect(records).toHaveLength(5);
      expect(letters).toMatchObject([{ operator: 'map', attempts: 1, error: { code: 'SAGE_CODEC_UNCLONEABLE' } }]);
      expect(letters[0]!.record).toContain('call: [Function');
      expect(result.operators.find(({ name }) => name === 'map')).toMatchObject({ recordsIn: 6, recordsOut: 5, deadLetters: 1 });
      expect(result.edges.filter(({ sent, received }) => sent !== received)).toEqual([]);
    });

    it('of an aggregate over a file have the whole record, not only the columns that are added up', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'sage-letters-'));
      try {
        const path = join(folder, 'rows.jsonl');
        writeFileSync(path, [{ id: 1, price: 5, note: 'a' }, { id: 1, price: 'five', note: 'b' }].map((row) => `${JSON.stringify(row)}\n`).join(''));
        for (const parallelism of [1, 2]) {
          const { records } = await runToArray((env) => {
            const totals = env.fromSource(FileSource.jsonLines<{ id: number; price: number; note: string }>(path)).keyBy('id').aggregate({ total: sum('price') }).onError('deadLetter');
            totals.sink([]);
            return totals.deadLetters().map(({ record, key }) => [record, key]);
          }, { parallelism });
          expect(records).toEqual([[{ id: 1, price: 'five', note: 'b' }, 1]]);
        }
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  });
}
