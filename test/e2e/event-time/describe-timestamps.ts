import { describe, expect, it } from 'vitest';

import { type DataStream, type LocalEnvironment, MapFunction, count } from '../../../ts/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { runToArray } from '../support/run-to-array.ts';

interface Click {
  readonly page: string;
  readonly at: number;
}

/** Gives each record the event time that its context says. */
class WithTime<T> extends MapFunction<T, { record: T; time: number | undefined; key: unknown }> {
  execute(record: T): { record: T; time: number | undefined; key: unknown } {
    return { record, time: this.ctx.timestamp, key: this.ctx.key };
  }
}

const clicks: Click[] = [3, 1, 2, 7, 5].map((at) => ({ page: `p${at % 2}`, at: at * 1000 }));
const timed = (env: LocalEnvironment): DataStream<Click> => env.fromCollection(clicks).assignTimestamps('at', { outOfOrdernessMs: 0 });
const times = async <T>(build: (env: LocalEnvironment) => DataStream<T>, parallelism?: number): Promise<(number | undefined)[]> => {
  const { records } = await runToArray((env) => build(env).map(WithTime<T>), parallelism === undefined ? {} : { parallelism });
  return records.map(({ time }) => time).toSorted((a, b) => a! - b!);
};
const sorted = [1000, 2000, 3000, 5000, 7000];

/** The tests of timestamps, for generated code and for the linked form. */
export function describeTimestamps(form: string): void {
  describe(form, () => {
    describe('a record keeps its event time', () => {
      it.each<[string, (env: LocalEnvironment) => DataStream<unknown>]>([
        ['behind the assigner', (env) => timed(env)],
        ['of a function that gives dates', (env) => env.fromCollection(clicks).assignTimestamps(({ at }) => new Date(at), { outOfOrdernessMs: 0 })],
        ['through a map', (env) => timed(env).map(({ page }) => page)],
        ['through an async map', (env) => timed(env).map(async ({ page }) => page)],
        ['through a filter', (env) => timed(env).filter(() => true)],
        ['through a flatMap of a list', (env) => timed(env).flatMap(({ page }) => [page])],
        ['through a flatMap of a generator', (env) => timed(env).flatMap(function* ({ page }) { yield page; })],
        ['through a route', (env) => timed(env).route(({ page }) => page, { p0: (s) => s, default: (s) => s.map(async (x) => x) })],
        ['through a mapAsync', (env) => timed(env).mapAsync(async (x) => x, { concurrency: 3 })],
        ['through a mapAsync in any order', (env) => timed(env).mapAsync(async (x) => x, { concurrency: 3, ordered: false })],
        ['through batches of one', (env) => timed(env).batch({ max: 1 })],
        ['through a union', (env) => env.fromCollection<Click>([]).assignTimestamps('at', { outOfOrdernessMs: 0 }).union(timed(env))],
        ['through a rebalance', (env) => timed(env).rebalance().parallelism(3)],
        ['through a keyBy', (env) => timed(env).keyBy('page')],
        ['through a keyBy to three instances', (env) => timed(env).keyBy('page').parallelism(3).map((x) => x)],
        ['over two exchanges', (env) => timed(env).keyBy('page').parallelism(3).map((x) => x).rebalance().parallelism(2)],
      ])('%s', async (_name, build) => {
        expect(await times(build)).toEqual(sorted);
      });

      it('of the latest of its records, when it is a batch', async () => {
        expect(await times((env) => timed(env).batch({ max: 2 }))).toEqual([3000, 7000, 5000].toSorted());
      });

      it('and not that of a sibling behind a fan-out, whichever comes first', async () => {
        const { records } = await runToArray((env) => {
          const stream = timed(env);
          const later = stream.assignTimestamps(({ at }) => at + 1, { outOfOrdernessMs: 0 });
          return later.map(WithTime<Click>).union(stream.map(async (x) => x).map(WithTime<Click>), stream.map(WithTime<Click>));
        });
        for (const { record, time } of records) expect([record.at, record.at + 1]).toContain(time);
        expect(records.filter(({ record, time }) => time === record.at)).toHaveLength(10);
        expect(records.filter(({ record, time }) => time === record.at + 1)).toHaveLength(5);
      });

      it('with its key, over a hash exchange', async () => {
        const { records } = await runToArray((env) => timed(env).keyBy('page').parallelism(2).map(WithTime<Click>));
        for (const { record, time, key } of records) expect({ time, key }).toEqual({ time: record.at, key: record.page });
      });
    });

    it('given a second assigner, then its function is told what the first one gave', async () => {
      const told: (number | undefined)[] = [];
      const build = (env: LocalEnvironment): DataStream<Click> =>
        timed(env)
          .keyBy('page')
          .parallelism(2)
          .assignTimestamps(({ at }, previous) => {
            told.push(previous);
            return at * 2;
          }, { outOfOrdernessMs: 0 });
      expect(await times(build)).toEqual(sorted.map((at) => at * 2));
      expect(told.toSorted((a, b) => a! - b!)).toEqual(sorted);
    });

    it('given a stream without timestamps, then a function sees none; nor behind an aggregate, or a union with such a stream', async () => {
      expect(await times((env) => env.fromCollection([1]))).toEqual([undefined]);
      expect(await times((env) => timed(env).aggregate({ n: count() }))).toEqual([undefined]);
      expect(await times((env) => timed(env).union(env.fromCollection([{ page: 'x', at: 1 }])))).toEqual(Array.from({ length: 6 }, () => undefined));
    });

    describe('a timestamp that is none', () => {
      const wrong: [string, unknown, RegExp][] = [
        ['NaN', Number.NaN, /SAGE_TIME_INVALID.*NaN/],
        ['undefined', undefined, /SAGE_TIME_INVALID.*undefined/],
        ['null', null, /SAGE_TIME_INVALID.*null/],
        ['a text', '2026-01-01', /SAGE_TIME_INVALID.*2026-01-01/],
        ['an invalid date', new Date(Number.NaN), /SAGE_TIME_INVALID.*NaN/],
        ['infinite', Number.POSITIVE_INFINITY, /SAGE_TIME_INVALID.*Infinity/],
        ['infinite, the other way', Number.NEGATIVE_INFINITY, /SAGE_TIME_INVALID.*Infinity/],
        ['behind all dates', 9e15, /SAGE_TIME_INVALID/],
        ['before all dates', -9e15, /SAGE_TIME_INVALID/],
        ['a promise', Promise.resolve(1), /SAGE_TIME_INVALID/],
        ['a year ahead', Date.now() + 365 * 24 * 3600 * 1000, /SAGE_TIME_AHEAD.*ahead of the clock/],
      ];

      it.each(wrong)('%s, is an error that names operator, line and record', async (_name, at, text) => {
        const run = runToArray((env) => env.fromCollection([{ at: 5 }, { at }]).assignTimestamps('at' as never, { outOfOrdernessMs: 0 }));
        const error = await failureOf(run);
        expect(`${error.code}: ${error.message}`).toMatch(text);
        expect(error).toMatchObject({ operator: 'assignTimestamps', record: { at }, declaredAt: { file: expect.stringContaining('describe-timestamps.ts') as string } });
      });

      it.each(wrong)('%s, is left out where onError says so, and event time goes on without it', async (_name, at) => {
        const { records, result } = await runToArray((env) =>
          env.fromCollection([{ at: 5 }, { at }, { at: 7 }]).assignTimestamps('at' as never, { outOfOrdernessMs: 0 }).onError('skip').map(WithTime<unknown>),
        );
        expect(records.map(({ time }) => time)).toEqual([5, 7]);
        expect(result).toMatchObject({ recordsIn: 3, recordsOut: 2, recordsSkipped: 1 });
      });
    });

    it('given timestamps before 1970, broken milliseconds, and any distance ahead when that is allowed, then they are right', async () => {
      const at = [-86_400_000.5, 0, Date.now() + 1e12, -8.64e15, 8.64e15];
      const build = (env: LocalEnvironment): DataStream<number> => env.fromCollection(at).assignTimestamps((n) => n, { outOfOrdernessMs: 1e9, maxAheadMs: Number.POSITIVE_INFINITY });
      expect(await times(build)).toEqual(at.toSorted((a, b) => a - b));
    });

    it('given a timestamp function that throws, then its record is dead, with its reason', async () => {
      const letters: unknown[] = [];
      const { records } = await runToArray((env) => {
        const stream = env.fromCollection([1, 2, 3]).assignTimestamps((n) => {
          if (n === 2) throw new RangeError('no two');
          return n;
        }, { outOfOrdernessMs: 0 }).onError('deadLetter');
        stream.deadLetters().sink(letters);
        return stream.map(WithTime<number>);
      });
      expect(records.map(({ record, time }) => [record, time])).toEqual([[1, 1], [3, 3]]);
      expect(letters).toMatchObject([{ record: 2, operator: 'assignTimestamps', error: { message: 'no two' } }]);
    });
  });
}
