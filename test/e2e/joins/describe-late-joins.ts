import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

import { type DataStream, type JoinType, type KeyedStream, type OperatorMetrics, type WindowAssigner } from '../../../ts/index.ts';
import { TestEnvironment } from '../../../ts/testing/index.ts';
import { PROPERTY_RUNS, shareOfRuns } from '../../property-runs.ts';
import { type Event as WindowEvent, naiveWindows } from '../windows/naive-windows.ts';
import { boundedAssigners } from '../windows/window-cases.ts';
import { types } from './joined-sides.ts';
import { type Event, type Pair, naivePairs, sortedPairs } from './naive-joins.ts';

vi.setConfig({ testTimeout: Math.max(120_000, 300 * PROPERTY_RUNS) });

/** What a side does next: a record of any time, however late that is, or a watermark. */
type Step = { readonly side: 0 | 1 } & ({ readonly does: 'push'; readonly key: string; readonly at: number } | { readonly does: 'watermark'; readonly byMs: number });

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.tuple(
    fc.constantFrom(0 as const, 1 as const),
    fc.oneof(
      { weight: 3, arbitrary: fc.record({ does: fc.constant('push' as const), key: fc.constantFrom('a', 'b'), at: fc.integer({ min: 0, max: 120 }) }) },
      { weight: 2, arbitrary: fc.record({ does: fc.constant('watermark' as const), byMs: fc.integer({ min: 0, max: 30 }) }) },
    ),
  ).map(([side, step]): Step => ({ side, ...step })),
  { maxLength: 40 },
);

/** How records get to the join: nothing of it may change a result. */
const shapes = {
  'in one stage': (stream: DataStream<Event>) => stream,
  'over an exchange': (stream: DataStream<Event>) => stream.rebalance().map((event) => event).parallelism(2),
  'behind calls in flight': (stream: DataStream<Event>) => stream.mapAsync(async (event) => event, { concurrency: 3 }),
};

const ways = { steps, shape: fc.constantFrom(...(Object.keys(shapes) as (keyof typeof shapes)[])), parallelism: fc.integer({ min: 1, max: 4 }), seed: fc.nat(1000) };

interface Way {
  readonly steps: readonly Step[];
  readonly shape: keyof typeof shapes;
  readonly parallelism: number;
  readonly seed: number;
}

/** A record with its side, and the watermark that it finds: the least of what both sides have said before it. */
interface Arrival {
  readonly side: 0 | 1;
  readonly event: Event;
  readonly watermark: number;
}

/** What comes, by its definition: ids count the records of both sides. */
function arrivalsOf(all: readonly Step[]): Arrival[] {
  const said: [number, number] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const arrivals: Arrival[] = [];
  for (const step of all) {
    if (step.does === 'watermark') said[step.side] = Math.max(0, said[step.side]) + step.byMs;
    else arrivals.push({ side: step.side, event: { id: arrivals.length, key: step.key, at: step.at }, watermark: Math.min(...said) });
  }
  return arrivals;
}

const idOf = (event: Event | undefined): number | null => event?.id ?? null;

/** Runs a join, with each step through all of it before the next one. */
async function run(one: Way, join: (left: KeyedStream<string, Event>, right: KeyedStream<string, Event>) => DataStream<Pair>, name: string): Promise<{ readonly pairs: readonly Pair[]; readonly counts: OperatorMetrics }> {
  await using env = new TestEnvironment({ seed: one.seed });
  const sources = [env.testSource<Event>('left'), env.testSource<Event>('right')] as const;
  const sink = env.collectSink<Pair>();
  const [left, right] = sources.map((source) => shapes[one.shape](env.fromSource(source)).keyBy('key').parallelism(one.parallelism));
  join(left!, right!).sink(sink);
  await env.start();
  const said: [number, number] = [0, 0];
  let id = 0;
  for (const step of one.steps) {
    const source = sources[step.side];
    if (step.does === 'push') void source.push({ id: id++, key: step.key, at: step.at }, step.at);
    else void source.watermark((said[step.side] += step.byMs));
    await env.settle();
  }
  const { operators } = await env.finish();
  return { pairs: sink.records, counts: operators.find((operator) => operator.name === name)! };
}

/** Pairs of windows by their definition: each of the left records in a window with each of the right ones, and what the type keeps. */
function naiveWindowPairs(arrivals: readonly Arrival[], assigner: WindowAssigner, type: JoinType): { readonly pairs: Pair[]; readonly late: number } {
  const watermarkOf = ({ id }: WindowEvent): number => arrivals[id]!.watermark;
  const events = arrivals.map(({ event }): WindowEvent => ({ ...event, value: 0 }));
  const { shown, late } = naiveWindows(events, { assigner, watermarkOf, outOfOrdernessMs: 0, allowedLatenessMs: 0, every: undefined, atEnd: true, discarding: false });
  const pairs = shown.flatMap(({ elements }) => {
    const of = (side: 0 | 1): WindowEvent[] => elements.filter(({ id }) => arrivals[id]!.side === side);
    return naivePairs(of(0), of(1), type, () => true);
  });
  return { pairs, late: late.length };
}

/** What is not behind the watermark that it finds, of one side. */
const inTime = (arrivals: readonly Arrival[], side: 0 | 1): Event[] => arrivals.filter((one) => one.side === side && one.event.at >= one.watermark).map(({ event }) => event);

/** The property tests of joins with records that are late, for generated code and for the linked form. */
export function describeLateJoins(form: string): void {
  describe(`joins of streams with late records, ${form}`, () => {
    it('a window join leaves out and counts what comes when its windows have closed, and nothing else', () =>
      fc.assert(
        fc.asyncProperty(fc.record({ ...ways, assigner: boundedAssigners, type: types }), async (one) => {
          const arrivals = arrivalsOf(one.steps);
          const expected = naiveWindowPairs(arrivals, one.assigner, one.type);
          const { pairs, counts } = await run(one, (left, right) => left.join(right, { window: { kind: 'windows', assigner: one.assigner }, type: one.type }, (a, b): Pair => [idOf(a), idOf(b)]), 'join-window');
          expect(sortedPairs(pairs)).toEqual(sortedPairs(expected.pairs));
          expect(counts).toMatchObject({ recordsIn: arrivals.length, recordsLate: expected.late });
        }),
        { numRuns: shareOfRuns(1), endOnFailure: false },
      ));

    it('an interval join leaves out and counts what is behind the watermark, and nothing else', () =>
      fc.assert(
        fc.asyncProperty(fc.record({ ...ways, beforeMs: fc.constantFrom(0, 3, 25, 200), afterMs: fc.constantFrom(0, 1, 30, 150), type: types }), async (one) => {
          const { beforeMs, afterMs, type } = one;
          const arrivals = arrivalsOf(one.steps);
          const [lefts, rights] = [inTime(arrivals, 0), inTime(arrivals, 1)];
          const { pairs, counts } = await run(one, (left, right) => left.join(right, { within: { before: beforeMs, after: afterMs }, type }, (a, b): Pair => [idOf(a), idOf(b)]), 'interval-join');
          expect(sortedPairs(pairs)).toEqual(sortedPairs(naivePairs(lefts, rights, type, (left, right) => right.at >= left.at - beforeMs && right.at <= left.at + afterMs)));
          expect(counts).toMatchObject({ recordsIn: arrivals.length, recordsLate: arrivals.length - lefts.length - rights.length });
        }),
        { numRuns: shareOfRuns(0.5), endOnFailure: false },
      ));
  });
}
