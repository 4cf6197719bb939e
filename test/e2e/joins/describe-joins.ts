import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

import { type DataStream, LocalEnvironment, MapFunction, ProcessFunction, session, sliding, tumbling } from '../../../ts/index.ts';
import { PROPERTY_RUNS, shareOfRuns } from '../../property-runs.ts';
import { connected, keyedSides, rightsOf, sides, types } from './joined-sides.ts';
import { type Event, type Pair, naivePairs, sortedPairs } from './naive-joins.ts';

vi.setConfig({ testTimeout: Math.max(120_000, 300 * PROPERTY_RUNS) });

const idOf = (event: Event | undefined): number | null => event?.id ?? null;

const numRuns = shareOfRuns(0.5);

/** A result with its event time. */
class WithTime extends MapFunction<Pair, readonly [Pair, number]> {
  execute(pair: Pair): readonly [Pair, number] {
    return [pair, this.ctx.timestamp!];
  }
}

/** The property tests of joins, for generated code and for the linked form. */
export function describeJoins(form: string): void {
  describe(form, () => {
    it('an interval join gives the pairs that are close in event time, whatever way their records come', () =>
      fc.assert(
        fc.asyncProperty(fc.record({ ...sides, beforeMs: fc.constantFrom(0, 3, 25, 200), afterMs: fc.constantFrom(0, 1, 30, 150), type: types }), async (one) => {
          const { lefts, beforeMs, afterMs, type } = one;
          const env = new LocalEnvironment('interval-join');
          const results: (readonly [Pair, number])[] = [];
          connected(env, one)
            .join({ within: { before: beforeMs, after: afterMs }, type }, (left, right): Pair => [idOf(left), idOf(right)])
            .map(WithTime)
            .sink(results);
          const { operators } = await env.submit({ autostop: true });
          const rights = rightsOf(one);
          const expected = naivePairs(lefts, rights, type, (left, right) => right.at >= left.at - beforeMs && right.at <= left.at + afterMs);
          expect(sortedPairs(results.map(([pair]) => pair))).toEqual(sortedPairs(expected));
          for (const [[left, right], time] of results) expect(time).toBe(Math.max(left === null ? -Infinity : lefts[left]!.at, right === null ? -Infinity : rights[right]!.at));
          // Each record is in a pair, or it is counted.
          const paired = (list: readonly Event[], side: 0 | 1): number => list.filter(({ id }) => expected.some((pair) => pair[side] === id)).length;
          const counts = operators.find(({ name }) => name === 'interval-join')!;
          expect(counts).toMatchObject({ recordsIn: lefts.length + rights.length, recordsOut: expected.length, recordsLate: 0 });
          expect(counts.recordsDropped).toBe(lefts.length + rights.length - paired(lefts, 0) - paired(rights, 1));
        }),
        { numRuns, endOnFailure: false },
      ));

    it('results of an interval join are in time for windows behind it', () =>
      fc.assert(
        fc.asyncProperty(fc.record({ ...sides, withinMs: fc.constantFrom(0, 10, 100), type: types }), async (one) => {
          const { lefts, withinMs, type } = one;
          const env = new LocalEnvironment('interval-join-windows');
          const results: number[] = [];
          const windows = connected(env, one)
            .join({ within: withinMs, type }, (left, right): Pair => [idOf(left), idOf(right)])
            .window(tumbling(7))
            .map(({ elements }) => elements.length);
          windows.sink(results);
          const { operators } = await env.submit({ autostop: true });
          expect(operators.find(({ name }) => name === 'window')!.recordsLate).toBe(0);
          const expected = naivePairs(lefts, rightsOf(one), type, (left, right) => Math.abs(left.at - right.at) <= withinMs);
          expect(results.reduce((a, b) => a + b, 0)).toBe(expected.length);
        }),
        { numRuns: shareOfRuns(0.2), endOnFailure: false },
      ));

    it('a window join gives the pairs that are in the same window', () =>
      fc.assert(
        fc.asyncProperty(fc.record({ ...sides, sizeMs: fc.integer({ min: 1, max: 80 }), type: types }), async (one) => {
          const { lefts, sizeMs, type } = one;
          const env = new LocalEnvironment('window-join');
          const results: Pair[] = [];
          connected(env, one)
            .join({ window: tumbling(sizeMs), type }, (left, right): Pair => [idOf(left), idOf(right)])
            .sink(results);
          await env.submit({ autostop: true });
          const windowOf = ({ at }: Event): number => Math.floor(at / sizeMs);
          expect(sortedPairs(results)).toEqual(sortedPairs(naivePairs(lefts, rightsOf(one), type, (left, right) => windowOf(left) === windowOf(right))));
        }),
        { numRuns, endOnFailure: false },
      ));

    it('a join over sliding windows gives a pair for each window that has both', () =>
      fc.assert(
        fc.asyncProperty(fc.record({ ...sides, slideMs: fc.integer({ min: 5, max: 30 }), slides: fc.integer({ min: 1, max: 4 }) }), async (one) => {
          const { lefts, slideMs, slides } = one;
          const env = new LocalEnvironment('sliding-join');
          const results: Pair[] = [];
          connected(env, one)
            .join({ window: sliding(slides * slideMs, slideMs) }, (left, right): Pair => [idOf(left), idOf(right)])
            .sink(results);
          await env.submit({ autostop: true });
          const last = ({ at }: Event): number => Math.floor(at / slideMs);
          const expected = naivePairs(lefts, rightsOf(one), 'inner', () => true).flatMap((pair): Pair[] => {
            const apart = Math.abs(last(lefts[pair[0]!]!) - last(rightsOf(one)[pair[1]!]!));
            return Array.from({ length: Math.max(0, slides - apart) }, () => pair);
          });
          expect(sortedPairs(results)).toEqual(sortedPairs(expected));
        }),
        { numRuns: shareOfRuns(0.2), endOnFailure: false },
      ));

    it('a join over sessions gives the pairs without a pause between them', () =>
      fc.assert(
        fc.asyncProperty(fc.record({ ...sides, gapMs: fc.integer({ min: 1, max: 40 }), type: types }), async (one) => {
          const { lefts, gapMs, type } = one;
          const env = new LocalEnvironment('session-join');
          const results: Pair[] = [];
          connected(env, one)
            .join({ window: session(gapMs), type }, (left, right): Pair => [idOf(left), idOf(right)])
            .sink(results);
          await env.submit({ autostop: true });
          const all = [...lefts, ...rightsOf(one)];
          const isConnected = (a: Event, b: Event): boolean => {
            const [from, to] = [Math.min(a.at, b.at), Math.max(a.at, b.at)];
            const between = all.filter(({ key, at }) => key === a.key && at >= from && at <= to).map(({ at }) => at).toSorted((x, y) => x - y);
            return between.every((at, n) => n === 0 || at - between[n - 1]! < gapMs);
          };
          expect(sortedPairs(results)).toEqual(sortedPairs(naivePairs(lefts, rightsOf(one), type, isConnected)));
        }),
        { numRuns: shareOfRuns(0.2), endOnFailure: false },
      ));

    it('an as-of join gives each left record with the latest right one', () =>
      fc.assert(
        fc.asyncProperty(fc.record({ ...sides, withinMs: fc.constantFrom(undefined, 0, 20, 200), type: fc.constantFrom('inner' as const, 'left' as const) }), async (one) => {
          const { lefts, withinMs, type } = one;
          const env = new LocalEnvironment('as-of-join');
          const results: (readonly [number | null, number | null])[] = [];
          // Times are made different, so that no order of arrival decides.
          const [left, right] = keyedSides(env, { ...one, lefts: lefts.map((event) => ({ ...event, at: event.at + event.id / 100 })), rights: one.rights.map((event) => ({ ...event, at: event.at + event.id / 100 })) });
          left
            .asOfJoin(right, { type, ...(withinMs === undefined ? {} : { within: withinMs }) }, (a, b): Pair => [a.id, idOf(b)])
            .sink(results);
          await env.submit({ autostop: true });
          const timeOf = ({ at, id }: Event): number => at + id / 100;
          const expected = lefts.flatMap((event): Pair[] => {
            const [latest] = rightsOf(one).filter((other) => other.key === event.key && timeOf(other) <= timeOf(event)).toSorted((a, b) => timeOf(b) - timeOf(a));
            if (latest !== undefined && (withinMs === undefined || timeOf(latest) >= timeOf(event) - withinMs)) return [[event.id, latest.id]];
            return type === 'left' ? [[event.id, null]] : [];
          });
          expect(sortedPairs(results)).toEqual(sortedPairs(expected));
        }),
        { numRuns, endOnFailure: false },
      ));

    it('what is late for an interval join is counted and left out', async () => {
      const env = new LocalEnvironment('late');
      const results: Pair[] = [];
      const list = [
        { id: 0, key: 'a', at: 100 },
        { id: 1, key: 'a', at: 500 },
        { id: 2, key: 'a', at: 90 },
        { id: 3, key: 'a', at: 505 },
      ];
      // One stream on both sides: its watermark is behind each record when the next one comes.
      const stream = env
        .fromSource(async function* () {
          for (const event of list) {
            for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
            yield event;
          }
        })
        .assignTimestamps('at', { outOfOrdernessMs: 0 })
        .keyBy('key');
      stream.join(stream, { within: 20 }, (left, right): Pair => [left.id, right.id]).sink(results);
      const { operators } = await env.submit({ autostop: true });
      expect(sortedPairs(results)).toEqual([[0, 0], [1, 1], [1, 3], [3, 1], [3, 3]]);
      expect(operators.find(({ name }) => name === 'interval-join')).toMatchObject({ recordsIn: 8, recordsLate: 2, recordsDropped: 0 });
    });

    it.each([1, 3])('thousands of pairs of one key go below a part at a time, at %i instances', async (parallelism) => {
      const env = new LocalEnvironment('many');
      const [many, count] = [Array.from({ length: 150 }, (_, id) => ({ id, key: 'a', at: id })), 150 * 150];
      let sum = 0;
      let pairs = 0;
      const stream = (): DataStream<Event> => env.fromCollection<Event>(many).assignTimestamps('at', { outOfOrdernessMs: 0 }).parallelism(1);
      stream()
        .connect(stream())
        .keyBy('key')
        .parallelism(parallelism)
        .join({ within: 1000 }, (left, right) => left.id * 1000 + right.id)
        .sink((n) => {
          pairs++;
          sum += n;
        });
      const { operators } = await env.submit({ autostop: true });
      expect([pairs, sum]).toEqual([count, 150 * 1001 * ((149 * 150) / 2)]);
      expect(operators.find(({ name }) => name === 'interval-join')).toMatchObject({ recordsIn: 300, recordsOut: count, recordsDropped: 0 });
    });

    it('a pair at which the function of a join fails is put aside with both of its records', async () => {
      const env = new LocalEnvironment('failing-pairs');
      const [out, letters]: [number[], unknown[]] = [[], []];
      const stream = env.fromCollection<Event>([{ id: 1, key: 'a', at: 1 }, { id: 2, key: 'b', at: 1 }]).assignTimestamps('at', { outOfOrdernessMs: 0 }).keyBy('key');
      const joined = stream
        .join(stream, { within: 0 }, (left) => {
          if (left.id === 2) throw new Error('two');
          return left.id;
        })
        .onError('deadLetter');
      joined.sink(out);
      joined.deadLetters<[Event, Event]>().map(({ record: [left, right], error, operator }) => [left.id, right.id, error.message, operator]).sink(letters);
      await env.submit({ autostop: true });
      expect(out).toEqual([1]);
      expect(letters).toEqual([[2, 2, 'two', 'join']]);
    });

    it('a process behind a join is given its pairs one by one, also when the function of the join gives promises', async () => {
      class Last extends ProcessFunction<string, string> {
        #all = '';
        execute(text: string): void {
          this.#all += text;
        }
        override finish(): void {
          this.collect(this.#all);
        }
      }
      const env = new LocalEnvironment('promises');
      const out: string[] = [];
      const left = env.fromCollection([{ id: 1, at: 1 }, { id: 2, at: 2 }]).assignTimestamps('at', { outOfOrdernessMs: 0 }).keyBy('id');
      const right = env.fromCollection([{ id: 1, at: 3 }, { id: 2, at: 3 }, { id: 1, at: 4 }]).assignTimestamps('at', { outOfOrdernessMs: 0 }).keyBy('id');
      left
        .intervalJoin(right, { after: 10 }, async ({ id }, { at }) => {
          await Promise.resolve();
          return at === 4 ? undefined : `${id}:${at} `;
        })
        .process(Last)
        .sink(out);
      const { recordsDropped } = await env.submit({ autostop: true });
      expect(out[0]!.trim().split(' ').toSorted()).toEqual(['1:3', '2:3']);
      expect(recordsDropped).toBe(1);
    });
  });
}
