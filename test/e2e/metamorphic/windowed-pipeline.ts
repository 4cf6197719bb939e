import { type DataStream, LocalEnvironment, type Trigger, type WindowedStream, type Windows, type WithKey, aggregator, count, countWindow, early, everyCount, globalWindow, max, session, sliding, sum, tumbling } from '../../../ts/index.ts';
import { neverFuse } from '../../../ts/environment/unfused-environments.ts';
import { Random } from '../random/random.ts';
import { oneByOne } from '../support/one-by-one.ts';
import type { Event } from '../windows/naive-windows.ts';

/** How a pipeline is run: nothing of it may change a result. */
export interface Variant {
  /** How records come: all at once, one by one, or now and then. */
  readonly source: (typeof SOURCES)[number];
  /** Instances of what is keyed. */
  readonly parallelism: number;
  /** Whether functions are promises, so that each record is through before the next one. */
  readonly async: boolean;
  /** Whether operators share stages. */
  readonly fuse: boolean;
}

export const SOURCES = ['at once', 'one by one', 'in turns of the event loop'] as const;

/** What others are compared with. */
export const PLAIN: Variant = { source: 'at once', parallelism: 1, async: false, fuse: true };

/** What a pipeline gave: its results, those of the windows behind it, and what was late for it, each in an order of their own. */
export type Given = Readonly<Record<'results' | 'second' | 'late', readonly string[]>>;

type WindowedEvents = WindowedStream<WithKey<string>, Event>;

interface Pipeline {
  readonly events: readonly Event[];
  readonly outOfOrdernessMs: number;
  readonly steps: readonly ('map' | 'filter' | 'flatMap')[];
  readonly window: Windows;
  readonly latenessMs: number;
  readonly trigger: Trigger | undefined;
  readonly discarding: boolean;
  readonly result: 'core' | 'javascript' | 'reduce' | 'elements';
  /** Windows over the results; where results come again they would be late by chance. */
  readonly second: 'no' | 'tumbling' | 'session';
}

/** Records with so much disorder that some of them are late. */
function drawEvents(random: Random): Event[] {
  let at = -100;
  return Array.from({ length: 20 + random.below(120) }, (_, id) => {
    at += random.chance(0.15) ? random.below(400) - 200 : random.below(40) - 15;
    return { id, key: random.pick(['a', 'b', 'c', 'd', 'e']), at, value: random.below(19) - 9 };
  });
}

function drawWindow(random: Random): Windows {
  const size = 1 + random.below(80);
  return random.pick([
    (): Windows => tumbling(size, { offset: random.pick([0, 3]) }),
    (): Windows => sliding(size, 1 + random.below(50)),
    (): Windows => session(1 + random.below(40)),
    globalWindow,
    (): Windows => countWindow(1 + random.below(7), 1 + random.below(7)),
  ])();
}

/** The pipeline of a seed. */
function draw(seed: number): Pipeline {
  const random = new Random(seed);
  const events = drawEvents(random);
  const window = drawWindow(random);
  const isCount = window.assigner.kind === 'count';
  const latenessMs = isCount ? 0 : random.pick([0, 0, 10, 100]);
  const every = everyCount(1 + random.below(4));
  const trigger = isCount ? undefined : random.pick([undefined, undefined, every, early(every)]);
  const isTimed = ['tumbling', 'sliding', 'session'].includes(window.assigner.kind);
  return {
    events,
    outOfOrdernessMs: random.pick([0, 5, 20, 60]),
    steps: Array.from({ length: random.below(4) }, () => random.pick(['map', 'filter', 'flatMap'] as const)),
    window,
    latenessMs,
    trigger,
    discarding: !isCount && random.chance(0.3),
    result: random.pick(['core', 'javascript', 'reduce', 'elements']),
    second: isTimed && latenessMs === 0 ? random.pick(['no', 'tumbling', 'session']) : 'no',
  };
}

/** Runs the pipeline of a seed in one way. */
export async function runPipeline(seed: number, variant: Variant): Promise<Given> {
  const pipeline = draw(seed);
  const env = new LocalEnvironment(`windowed ${seed}`);
  if (!variant.fuse) neverFuse(env);
  const given = { results: [] as string[], second: [] as string[], late: [] as string[] };
  const keyed = stepped(shaped(env, pipeline.events, variant.source).assignTimestamps('at', { outOfOrdernessMs: pipeline.outOfOrdernessMs }), pipeline.steps, variant.async)
    .keyBy('key')
    .parallelism(variant.parallelism);
  const timed = keyed.window(pipeline.window).lateTo('late').panes(pipeline.discarding ? 'discarding' : 'accumulating');
  const late = pipeline.latenessMs > 0 ? timed.allowedLateness(pipeline.latenessMs) : timed;
  const [results, texts] = resulting(pipeline.trigger === undefined ? late : late.trigger(pipeline.trigger), pipeline.result);
  texts.sink(given.results);
  results.sideOutput<Event>('late').map((event) => JSON.stringify(event)).sink(given.late);
  if (pipeline.second !== 'no') {
    texts
      .window(pipeline.second === 'tumbling' ? tumbling(90) : session(30))
      .map(({ start, end, elements }) => JSON.stringify([start, end, elements.toSorted()]))
      .sink(given.second);
  }
  await env.submit({ autostop: true });
  return { results: given.results.toSorted(), second: given.second.toSorted(), late: given.late.toSorted() };
}

function shaped(env: LocalEnvironment, events: readonly Event[], source: Variant['source']): DataStream<Event> {
  if (source === 'at once') return env.fromCollection(events);
  return oneByOne(env, events, ({ id }) => (source !== 'one by one' && id % 7 === 3 ? 5 : 0));
}

function stepped(stream: DataStream<Event>, steps: Pipeline['steps'], isAsync: boolean): DataStream<Event> {
  const give = <T>(value: T): T => (isAsync ? Promise.resolve(value) : value) as T;
  return steps.reduce((input, step, n) => {
    switch (step) {
      case 'map':
        return input.map((event) => give({ ...event, value: event.value + n }));
      case 'filter':
        return input.filter((event) => give((event.value + n) % 5 !== 0));
      case 'flatMap':
        return input.flatMap((event) => give([event, { ...event, value: event.value + 1 }].slice(0, Math.abs(event.value + n) % 3)));
    }
  }, stream);
}

/** The results of windows, and each of them as a text. What depends on the order of records of one key is in it: that is kept. */
function resulting(windows: WindowedEvents, result: Pipeline['result']): readonly [DataStream<unknown>, DataStream<string>] {
  const texts = (stream: DataStream<unknown>): readonly [DataStream<unknown>, DataStream<string>] => [stream, stream.map((one) => JSON.stringify(one))];
  switch (result) {
    case 'core':
      return texts(windows.aggregate({ n: count(), total: sum('value'), most: max('value') }));
    case 'javascript':
      return texts(windows.aggregate({ n: count(), ids: aggregator({ init: () => 0, add: (all: number, { id }: Event) => all + id ** 2, merge: (a, b) => a + b, result: (all) => all }) }));
    case 'reduce':
      return texts(windows.reduce((a, b) => ({ id: a.id + b.id, key: a.key, at: Math.max(a.at, b.at), value: a.value + b.value })));
    case 'elements':
      return texts(windows.map((contents) => contents));
  }
}
