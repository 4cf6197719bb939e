import { describe, expect, it } from 'vitest';

import {
  type DataStream,
  type DeadLetter,
  END,
  type End,
  type LocalEnvironment,
  MapFunction,
  SourceFunction,
  type Timestamped,
  count,
  timestamped,
  tumbling,
} from '../../../ts/index.ts';
import { TestEnvironment } from '../../../ts/testing/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { runToArray } from '../support/run-to-array.ts';

interface Reading {
  readonly sensor: string;
}

/** The record with the event time that its context says. */
class WithTime<T> extends MapFunction<T, [T, number | undefined]> {
  execute(record: T): [T, number | undefined] {
    return [record, this.ctx.timestamp];
  }
}

const given: readonly (readonly [string, number])[] = [['a', 1_000], ['b', 3_000], ['c', 2_000], ['d', 12_000]];
const expected = given.map(([sensor, at]) => [{ sensor }, at]);
const options = { timestamps: { outOfOrdernessMs: 5_000 } };

function* sensors(shift: number): Generator<Timestamped<Reading>> {
  for (const [sensor, at] of given) yield timestamped({ sensor }, at + shift);
}

class Sensors extends SourceFunction<Timestamped<Reading>> {
  #next = 0;
  readonly #waits: boolean;
  constructor(waits: boolean) {
    super();
    this.#waits = waits;
  }
  execute(): Timestamped<Reading> | End | undefined | Promise<Timestamped<Reading> | End | undefined> {
    const record = given[this.#next++];
    const result = record === undefined ? END : timestamped({ sensor: record[0] }, record[1]);
    return this.#waits ? Promise.resolve(result) : result;
  }
}

const items = (): Timestamped<Reading>[] => [...sensors(0)];

/** The tests of sources that give timestamps, for generated code and for the linked form. */
export function describeGivenTimestamps(form: string): void {
  describe(form, () => {
    describe('given a source that gives timestamped(record, t)', () => {
      it.each<[string, (env: LocalEnvironment) => DataStream<Reading>]>([
        ['an array', (env) => env.fromCollection(items(), options)],
        ['an array in batches', (env) => env.fromBatch(items(), options)],
        ['a set', (env) => env.fromSource(new Set(items()), options)],
        ['a generator with arguments', (env) => env.fromSource(sensors, 0, options)],
        ['an async generator', (env) => env.fromStream(async function* () { yield* sensors(0); }, options)],
        ['a class', (env) => env.fromSource(Sensors, false, options)],
        ['a class that gives promises', (env) => env.fromSource(Sensors, true, options)],
        ['an object', (env) => env.fromSource(new Sensors(false), options)],
        ['a function', (env) => { let n = 0; return env.fromSource(() => items()[n++] ?? END, options); }],
        ['a batch function', (env) => { let n = 0; return env.fromBatch(() => items()[n++] ?? null, options); }],
        ['dates', (env) => env.fromSource(given.map(([sensor, at]) => timestamped({ sensor }, new Date(at))), options)],
      ])('%s: then the stream has the records, and each its event time', async (_, build) => {
        const { records } = await runToArray((env) => build(env).map(WithTime<Reading>));
        expect(records).toEqual(expected);
      });

      it('over several instances and an exchange, then each record still has its own time', async () => {
        const many = Array.from({ length: 1_000 }, (_, n) => timestamped(n, n * 10));
        const { records } = await runToArray((env) => env.fromCollection(many, options).keyBy((n) => n % 7).map(WithTime<number>), { parallelism: 3 });
        expect(records.toSorted(([a], [b]) => a - b)).toEqual(many.map(({ record, timestamp }) => [record, timestamp]));
      });

      it('in instances of its class in the main isolate, then none takes the times of another', async () => {
        const { records } = await runToArray((env) => env.fromSource(Sensors, true, options).parallelism(2).map(WithTime<Reading>));
        expect(records.toSorted(([a], [b]) => (a.sensor < b.sensor ? -1 : 1))).toEqual(expected.flatMap((one) => [one, one]));
      });

      it('then windows go by these times, and what is later than outOfOrdernessMs is late', async () => {
        const late: string[] = [];
        const { records, result } = await runToArray((env) => {
          const windows = env
            .fromSource([...items(), timestamped({ sensor: 'e' }, 6_000), timestamped({ sensor: 'f' }, 20_000), timestamped({ sensor: 'g' }, 9_000)], options)
            .window(tumbling('10s'))
            .lateTo('late')
            .aggregate({ n: count() });
          windows.sideOutput<Reading>('late').map(({ sensor }) => sensor).sink(late);
          return windows.map(({ window, n }) => [window.start, n]);
        });
        expect(records).toEqual([[0, 4], [10_000, 1], [20_000, 1]]);
        expect(late).toEqual(['g']);
        expect(result.operators.find(({ name }) => name === 'window')!.recordsLate).toBe(1);
      });

      it('with an assignTimestamps behind, then that is given what the source gave', async () => {
        const told: unknown[] = [];
        const { records } = await runToArray((env) =>
          env
            .fromSource(sensors, 0, options)
            .assignTimestamps((record, timestamp) => {
              told.push([record, timestamp]);
              return timestamp! + 1;
            }, { outOfOrdernessMs: 5_000 })
            .map(WithTime<Reading>),
        );
        expect(told).toEqual(expected);
        expect(records).toEqual(expected.map(([record, at]) => [record, (at as number) + 1]));
      });

      it('that falls silent with idleMs, then nobody waits for it', async () => {
        await using env = new TestEnvironment();
        const next = Promise.withResolvers<IteratorResult<Timestamped<Reading>>>();
        const silent = { [Symbol.asyncIterator]: () => ({ next: () => next.promise }) };
        const other = env.testSource<Reading>('other');
        const found = env.collectSink<unknown>();
        env
          .fromSource(silent, { timestamps: { outOfOrdernessMs: 0, idleMs: 5_000 } })
          .union(env.fromSource(other))
          .window(tumbling('10s'))
          .aggregate({ n: count() })
          .map(({ n }) => n)
          .sink(found);
        await env.start();
        other.push({ sensor: 'a' }, 1_000);
        other.watermark(10_000);
        await env.settle({ pending: 'leave' });
        expect(found.records).toEqual([]);
        await env.advanceTime(5_000, { pending: 'leave' });
        expect(found.records).toEqual([1]);
        next.resolve({ done: true, value: undefined });
        await env.finish();
      });
    });

    describe('a record that comes without a timestamp, or with a wrong one', () => {
      const wrong: [string, unknown, RegExp, unknown][] = [
        ['without', { sensor: 'x' }, /SAGE_TIME_INVALID.*an object with sensor without a timestamp.*timestamped\(record, t\)/s, { sensor: 'x' }],
        ['null', null, /SAGE_TIME_INVALID.*null without a timestamp/s, null],
        ['NaN', timestamped({ sensor: 'x' }, Number.NaN), /SAGE_TIME_INVALID.*NaN/, { sensor: 'x' }],
        ['a text', timestamped({ sensor: 'x' }, '2024' as never), /SAGE_TIME_INVALID.*'?2024/, { sensor: 'x' }],
        ['a year ahead', timestamped({ sensor: 'x' }, Date.now() + 365 * 24 * 3_600_000), /SAGE_TIME_AHEAD.*ahead of the clock/, { sensor: 'x' }],
      ];

      it.each(wrong)('%s: fails the job, with operator, line and record', async (_, bad, text, record) => {
        const run = runToArray((env) => env.fromSource([timestamped({ sensor: 'a' }, 1), bad as Timestamped<Reading>], options));
        const error = await failureOf(run);
        expect(`${error.code}: ${error.message} ${error.help}`).toMatch(text);
        expect(error).toMatchObject({ operator: 'assignTimestamps', record, declaredAt: { file: expect.stringContaining('describe-given-timestamps.ts') as string } });
      });

      it.each(wrong)('%s: is left out where the policy says so, and the others keep their time', async (_, bad) => {
        const { records, result } = await runToArray((env) =>
          env.fromSource([timestamped({ sensor: 'a' }, 1), bad as Timestamped<Reading>, timestamped({ sensor: 'b' }, 2)], options).onError('skip').map(WithTime<Reading>),
        );
        expect(records).toEqual([[{ sensor: 'a' }, 1], [{ sensor: 'b' }, 2]]);
        expect(result).toMatchObject({ recordsIn: 3, recordsOut: 2, recordsSkipped: 1 });
      });

      it.each(wrong)('%s: is a dead letter with the record itself', async (_, bad, text, record) => {
        const letters: DeadLetter<unknown>[] = [];
        const { result } = await runToArray((env) => {
          const source = env.fromSource(function* () { yield timestamped({ sensor: 'a' }, 1); yield bad as Timestamped<Reading>; }, options).onError('deadLetter');
          source.deadLetters().sink(letters);
          return source;
        });
        expect(letters).toMatchObject([{ record, error: { code: (/SAGE_[A-Z_]+/.exec(text.source) ?? [''])[0] }, attempts: 1 }]);
        expect(result).toMatchObject({ recordsOut: 2, deadLetters: 1 });
      });
    });

    describe('given a source that gives timestamped(record, t) and was not told the option timestamps', () => {
      const mixed = [{ sensor: 'first' }, ...items()];
      it.each<[string, (env: LocalEnvironment) => DataStream<unknown>]>([
        ['an array whose first record has none', (env) => env.fromCollection(mixed)],
        ['a set', (env) => env.fromSource(new Set(items()))],
        ['a generator with arguments', (env) => env.fromSource(sensors, 0)],
        ['an async generator', (env) => env.fromStream(async function* () { yield* sensors(0); })],
        ['an async generator whose first record has none', (env) => env.fromBatch(async function* () { yield* mixed; })],
        ['a class', (env) => env.fromSource(Sensors, false)],
        ['a class that gives promises', (env) => env.fromSource(Sensors, true)],
        ['an object', (env) => env.fromSource(new Sensors(false))],
        ['a function', (env) => { let n = 0; return env.fromSource(() => mixed[n++] ?? END); }],
        ['a batch function', (env) => { let n = 0; return env.fromBatch(() => mixed[n++] ?? null); }],
        ['a class with a policy, which is not asked', (env) => env.fromSource(Sensors, true).onError('skip')],
      ])('%s: then the job fails and names the option, and nothing is given as a record', async (_, build) => {
        const seen: unknown[] = [];
        const error = await failureOf(runToArray((env) => build(env).map((record) => { seen.push(record); return record; })));
        expect(error).toMatchObject({ code: 'SAGE_USER_WRONG_TYPE', record: { sensor: 'a' }, declaredAt: { file: expect.stringContaining('describe-given-timestamps.ts') as string } });
        expect(`${error.message} ${error.help}`).toMatch(/has no option timestamps.*\{ timestamps: \{ outOfOrdernessMs: 5000 \} \}/s);
        expect(seen.filter((record) => (record as Reading).sensor !== 'first')).toEqual([]);
      });
    });

    it('given retries, then a function that fails is called again, and a record is as it was given', async () => {
      let calls = 0;
      const { records } = await runToArray((env) =>
        env
          .fromSource(() => {
            calls++;
            if (calls === 2) throw new Error('not now');
            return calls > 3 ? END : timestamped(calls, calls * 10);
          }, options)
          // oxlint-disable-next-line unicorn/no-thenable -- the name of the setting
          .onError({ retry: 2, backoffMs: 1, then: 'deadLetter' })
          .map(WithTime<number>),
      );
      expect(records).toEqual([[1, 10], [3, 30]]);
    });

    it('given a timestamp that is too far ahead until the clock has gone on, then a retry gives the record itself', async () => {
      await using env = new TestEnvironment({ startMs: 0 });
      const found = env.collectSink<unknown>();
      env
        .fromSource([timestamped('early', 1_000)], { timestamps: { outOfOrdernessMs: 0, maxAheadMs: 0 } })
        // oxlint-disable-next-line unicorn/no-thenable -- the name of the setting
        .onError({ retry: 1, backoffMs: 4_000, then: 'fail' })
        .map(WithTime<string>)
        .sink(found);
      await env.start();
      expect(found.records).toEqual([]);
      await env.finish();
      expect(found.records).toEqual([['early', 1_000]]);
    });
  });
}
