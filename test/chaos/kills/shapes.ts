import { mkdirSync } from 'node:fs';

import {
  count, type DataStream, FileSource, JsonLinesSink, KeyedProcessFunction, type LocalEnvironment, type PipelineDefinition, session, sliding, sum, tumbling, definePipeline,
} from '../../../ts/index.ts';
import { DatabaseSink } from './database-sink.ts';
import { type Reading, Readings, type Watch, Witness } from './witness.ts';

/** What each pipeline is built with. */
export interface ShapeArgs {
  /** A file of readings. */
  readonly input: string;
  /** How many there are. */
  readonly records: number;
  /** The directory of its results. */
  readonly out: string;
  /** Left away where nothing is killed. */
  readonly watch?: Watch;
}

/** A pipeline that is killed. */
export interface Shape {
  readonly pipeline: PipelineDefinition<ShapeArgs>;
  readonly records: number;
  /** How long each takes, so that there is time for some checkpoints. */
  readonly burnMs: number;
  /** Of a result: its key, and its place in the order of that key. Left away where the records of a key have no order. */
  readonly order?: (result: never) => readonly [key: number, place: number];
}

/** A source is in one instance, so that the records of a key stay in their order. */
const readFile = (env: LocalEnvironment, { input, watch }: ShapeArgs): DataStream<Reading> =>
  env.fromSource(FileSource.jsonLines<Reading>(input)).parallelism(1).named('the source').map(Witness, watch).parallelism(1).named('the witness');
const readObjects = (env: LocalEnvironment, { records, watch }: ShapeArgs): DataStream<Reading> =>
  env.fromSource(Readings, records, 'readings').named('the source').map(Witness, watch).parallelism(1).named('the witness');
const timed = (stream: DataStream<Reading>, name: string): DataStream<Reading> =>
  stream.assignTimestamps('at', { outOfOrdernessMs: 0 }).parallelism(1).named(name);
const lines = (out: string, name: string): JsonLinesSink => new JsonLinesSink(`${out}/${name}/`, { mkdir: true });

/** Counts, and says at the end of each span of event time how many there were in it. */
class Counts extends KeyedProcessFunction<number, Reading, object> {
  execute({ n, at, value }: Reading): void {
    const { state, timers } = this.ctx;
    const seen = state.value<number>('seen', { default: 0 }).update((before) => before + 1);
    const total = state.reducing<number>('total', (a, b) => a + b);
    total.add(value);
    const end = at - (at % 500) + 500;
    const inSpan = state.map<number, number>('inSpan');
    inSpan.set(end, (inSpan.get(end) ?? 0) + 1);
    timers.eventTime(end);
    this.collect({ k: this.ctx.key, place: seen, n, total: total.get() });
  }

  override onTimer(time: number): void {
    const inSpan = this.ctx.state.map<number, number>('inSpan');
    this.collect({ k: this.ctx.key, time, records: inSpan.get(time) });
    inSpan.delete(time);
  }
}

/** Numbers the records of each key. */
class Numbers extends KeyedProcessFunction<number, { readonly n: number; readonly square: number }, object> {
  execute({ n, square }: { readonly n: number; readonly square: number }): void {
    const place = this.ctx.state.value<number>('place', { default: 0 }).update((before) => before + 1);
    this.collect({ k: this.ctx.key, place, n, square });
  }
}

const answer = (n: number): Promise<{ readonly n: number; readonly square: number }> =>
  new Promise((resolve) => {
    // Most come at once and overtake the others.
    if (n % 8 > 0) resolve({ n, square: n * n });
    else setImmediate(() => resolve({ n, square: n * n }));
  });

const state = definePipeline(import.meta.url, (env: LocalEnvironment, args: ShapeArgs) => {
  timed(readFile(env, args), 'times').keyBy('k').process(Counts).sink(lines(args.out, 'counts'));
});

const windows = definePipeline(import.meta.url, (env: LocalEnvironment, args: ShapeArgs) => {
  const stream = timed(readFile(env, args), 'times').keyBy('k');
  stream.window(tumbling(700)).map(({ key, start, elements }) => ({ k: key, place: start, n: elements.map(({ n }) => n) })).sink(lines(args.out, 'elements'));
  stream.window(sliding(1000, 250)).aggregate({ n: count(), total: sum('value') }).sink(lines(args.out, 'sums'));
  stream.window(session(60)).aggregate({ n: count() }).sink(lines(args.out, 'sessions'));
});

const join = definePipeline(import.meta.url, (env: LocalEnvironment, args: ShapeArgs) => {
  const left = timed(readObjects(env, args), 'times of the left').keyBy('k');
  const right = timed(env.fromSource(Readings, Math.ceil(args.records / 3), 'others').named('the other source'), 'times of the right').keyBy('k');
  left.join(right, { within: { before: 40, after: 60 }, type: 'left' }, (a, b) => ({ left: a.n, right: b?.n ?? null })).sink(lines(args.out, 'pairs'));
});

/** Halves each number until it is odd, which takes another number of rounds for each. */
const loop = definePipeline(import.meta.url, (env: LocalEnvironment, args: ShapeArgs) => {
  const again = env.fromFuture<{ readonly n: number; readonly rest: number; readonly rounds: number }>('again');
  const { odd, even } = readObjects(env, args)
    .map(({ n }) => ({ n, rest: n + 1, rounds: 0 }))
    .union(again)
    .split(({ rest }) => (rest % 2 === 1 ? 'odd' : 'even'), ['odd', 'even']);
  even.map(({ n, rest, rounds }) => ({ n, rest: rest / 2, rounds: rounds + 1 })).fillFuture(again);
  odd.keyBy(({ rest }) => rest).aggregate({ n: count(), rounds: sum('rounds') }).sink(lines(args.out, 'odd'));
});

const calls = definePipeline(import.meta.url, (env: LocalEnvironment, args: ShapeArgs) => {
  const stream = readObjects(env, args);
  stream.keyBy('k').mapAsync(({ n }) => answer(n), { concurrency: 16, ordered: true }).keyBy(({ n }) => (n * n) % 7).process(Numbers).sink(lines(args.out, 'ordered'));
  stream.mapAsync(({ n }) => answer(n), { concurrency: 16 }).sink(lines(args.out, 'unordered'));
});

/** Into a database, by transactions, and into files beside it. */
const database = definePipeline(import.meta.url, (env: LocalEnvironment, args: ShapeArgs) => {
  const counts = timed(readObjects(env, args), 'times').keyBy('k').process(Counts);
  mkdirSync(`${args.out}/database`, { recursive: true });
  counts.sink(DatabaseSink, { args: [`${args.out}/database/results.db`] });
  counts.sink(lines(args.out, 'files'));
});

/** All instances read. */
const files = definePipeline(import.meta.url, (env: LocalEnvironment, args: ShapeArgs) => {
  env.fromSource(FileSource.jsonLines<Reading>(args.input)).named('the source').map(Witness, args.watch).named('the witness').map(({ n, value }) => ({ n, value })).sink(lines(args.out, 'copies'));
});

const byPlace = ({ k, place }: { readonly k: number; readonly place: number }): readonly [number, number] => [k, place];

/** What waits in the queue behind a reader of files comes before a barrier: there are few checkpoints for the records. */
const ofFile = { records: 40_000, burnMs: 0.004 };
const ofObjects = { records: 6000, burnMs: 0.03 };

/** By name. */
export const shapes: Readonly<Record<string, Shape>> = {
  'state and timers': { pipeline: state, ...ofFile, order: byPlace },
  'a join': { pipeline: join, ...ofObjects },
  windows: { pipeline: windows, ...ofFile, order: byPlace },
  'a loop': { pipeline: loop, ...ofObjects },
  files: { pipeline: files, ...ofFile },
  calls: { pipeline: calls, ...ofObjects, order: byPlace },
  'a database': { pipeline: database, ...ofObjects, records: 12_000, order: byPlace },
};
