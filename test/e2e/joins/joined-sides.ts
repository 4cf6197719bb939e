import fc from 'fast-check';

import type { ConnectedStreams, DataStream, JoinType, KeyedStream, LocalEnvironment } from '../../../ts/index.ts';
import type { Event } from './naive-joins.ts';

/** Later than all disorder that the streams below have, so that no record is late and the answer is known. */
const OUT_OF_ORDERNESS_MS = 60;

/** Random streams: few keys, time that goes on more or less, each record at most so far behind as event time allows for. */
const events: fc.Arbitrary<Event[]> = fc
  .array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), stepMs: fc.integer({ min: 0, max: 30 }), behindMs: fc.integer({ min: 0, max: OUT_OF_ORDERNESS_MS }) }), { maxLength: 30 })
  .map((steps) => {
    let now = 0;
    return steps.map(({ key, stepMs, behindMs }, id) => {
      now += stepMs;
      return { id, key, at: now - behindMs };
    });
  });

/** All types of joins. */
export const types: fc.Arbitrary<JoinType> = fc.constantFrom('inner', 'left', 'right', 'full');

/** How records get to the join: nothing of it may change a result. */
const shapes = ['at once', 'one by one', 'right side first', 'in turns of the event loop', 'with pauses', 'over exchanges', 'keyed before', 'one collection on both sides'] as const;
type Shape = (typeof shapes)[number];

/** Two streams, how they come, and how many instances join them. */
export interface Sides {
  readonly lefts: readonly Event[];
  readonly rights: readonly Event[];
  readonly shape: Shape;
  readonly parallelism: number;
}

/** Two streams and a way for them to come. */
export const sides: { readonly [Name in keyof Sides]: fc.Arbitrary<Sides[Name]> } = {
  lefts: events,
  rights: events,
  shape: fc.constantFrom(...shapes),
  parallelism: fc.integer({ min: 1, max: 4 }),
};

/** The records of the right side: the same ones where there is one collection. */
export const rightsOf = ({ lefts, rights, shape }: Sides): readonly Event[] => (shape === 'one collection on both sides' ? lefts : rights);

/** Both sides, each with its key, as `left.join(right)` takes them. */
export function keyedSides(env: LocalEnvironment, one: Sides): readonly [KeyedStream<string, Event>, KeyedStream<string, Event>] {
  const key = ({ key: own }: Event): string => own;
  const [left, right] = timedSides(env, one);
  return [left.keyBy(key).parallelism(one.parallelism), right.keyBy(key).parallelism(one.parallelism)];
}

/** Both sides with event time. */
function timedSides(env: LocalEnvironment, one: Sides): readonly [DataStream<Event>, DataStream<Event>] {
  const { lefts, shape } = one;
  const timed = (stream: DataStream<Event>): DataStream<Event> => stream.assignTimestamps('at', { outOfOrdernessMs: OUT_OF_ORDERNESS_MS }).parallelism(1);
  const source = (list: readonly Event[], waits: boolean): DataStream<Event> => {
    if (shape === 'at once' || shape === 'keyed before' || shape === 'over exchanges') return env.fromCollection(list);
    return env.fromSource(async function* () {
      if (waits) for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
      for (const event of list) {
        if (shape === 'in turns of the event loop' && event.id % 5 === 2) await new Promise(setImmediate);
        // Long enough for watermarks to come before the next record.
        if (shape === 'with pauses' && event.id % 3 === 2) for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
        yield event;
      }
    });
  };
  const left = timed(source(lefts, shape === 'right side first'));
  return [left, shape === 'one collection on both sides' ? left : timed(source(rightsOf(one), false))];
}

/** Both sides connected, with their keys. */
export function connected(env: LocalEnvironment, one: Sides): ConnectedStreams<[Event, Event], string> {
  const { shape, parallelism } = one;
  const [left, right] = timedSides(env, one);
  const key = ({ key: own }: Event): string => own;
  if (shape === 'keyed before') {
    const keyed = [left, right].map((stream) => stream.keyBy(key).parallelism(parallelism)) as [KeyedStream<string, Event>, KeyedStream<string, Event>];
    return keyed[0].connect(keyed[1]);
  }
  if (shape === 'over exchanges') {
    const spread = (stream: DataStream<Event>): DataStream<Event> => stream.map((event) => event).parallelism(1 + (parallelism % 3));
    return spread(left).connect(spread(right)).keyBy(key).parallelism(parallelism);
  }
  return left.connect(right).keyBy([key, 'key']).parallelism(parallelism);
}
