// What types streams have; checked by tsc, never run.
import { Readable } from 'node:stream';
import { expectTypeOf } from 'vitest';
import { FileSource } from '../../ts/connectors/file-source.ts';
import { JsonLinesSink } from '../../ts/connectors/json-lines-sink.ts';
import { ParquetSink } from '../../ts/connectors/parquet-sink.ts';
import { TextLinesSink } from '../../ts/connectors/text-lines-sink.ts';
import type { CollectedRecords } from '../../ts/datastream/collect-stream.ts';
import type { AsyncCall } from '../../ts/datastream/record-types.ts';
import type { DataStream, KeyedRoutedStream, KeyedStream, RoutedStream } from '../../ts/datastream/streams.ts';
import { LocalEnvironment } from '../../ts/environment/local-environment.ts';
import { BatchFunction } from '../../ts/functions/batch-function.ts';
import { count } from '../../ts/functions/builtin-aggregators.ts';
import { FilterFunction } from '../../ts/functions/filter-function.ts';
import { FlatMapFunction } from '../../ts/functions/flat-map-function.ts';
import { KeyByFunction } from '../../ts/functions/key-by-function.ts';
import { MapFunction } from '../../ts/functions/map-function.ts';
import { OutputTag } from '../../ts/functions/output-tag.ts';
import { KeyedProcessFunction } from '../../ts/functions/keyed-process-function.ts';
import { ProcessFunction } from '../../ts/functions/process-function.ts';
import { SinkFunction } from '../../ts/functions/sink-function.ts';
import { END, SourceFunction } from '../../ts/functions/source-function.ts';
import type { DeadLetter } from '../../ts/transformations/dead-letter.ts';
import type { Job, JobResult } from '../../ts/transformations/job.ts';

interface Bid {
  readonly auction: number;
  readonly price: number;
  readonly channel: string;
  readonly seller?: { readonly id: string; readonly rank: number | null };
}

const env = new LocalEnvironment('types');
const bids = env.fromSource(FileSource.jsonLines<Bid>('bids.jsonl'));
expectTypeOf(bids).toEqualTypeOf<DataStream<Bid>>();

// --- sources
class Countdown extends BatchFunction<number> {
  #next: number;
  constructor(from: number, _step?: number) {
    super();
    this.#next = from;
  }
  execute(): number | null {
    return this.#next > 0 ? this.#next-- : null;
  }
}
class Ticks extends SourceFunction<{ at: Date }> {
  execute() {
    return Math.random() > 2 ? END : { at: new Date() };
  }
}
expectTypeOf(env.fromBatch([1, null])).toEqualTypeOf<DataStream<number | null>>();
expectTypeOf(env.fromBatch(new Set(['a']))).toEqualTypeOf<DataStream<string>>();
expectTypeOf(env.fromBatch(new Map([['a', 1]]))).toEqualTypeOf<DataStream<[string, number]>>();
expectTypeOf(env.fromBatch(Countdown, 3)).toEqualTypeOf<DataStream<number>>();
expectTypeOf(env.fromBatch(Countdown, 3, 1, { unbounded: true })).toEqualTypeOf<DataStream<number>>();
expectTypeOf(env.fromBatch(new Countdown(3))).toEqualTypeOf<DataStream<number>>();
expectTypeOf(env.fromCollection([{ a: 1 }])).toEqualTypeOf<DataStream<{ a: number }>>();
expectTypeOf(env.fromSource(Ticks)).toEqualTypeOf<DataStream<{ at: Date }>>();
expectTypeOf(env.fromSource(Ticks, { unbounded: true })).toEqualTypeOf<DataStream<{ at: Date }>>();
expectTypeOf(env.fromSource(new Ticks())).toEqualTypeOf<DataStream<{ at: Date }>>();
expectTypeOf(
  env.fromSource(function* (from: number) {
    yield from;
    yield 'end' as const;
  }, 1),
).toEqualTypeOf<DataStream<number | 'end'>>();
expectTypeOf(
  env.fromSource(
    async function* () {
      yield 1;
    },
    { unbounded: true },
  ),
).toEqualTypeOf<DataStream<number>>();
expectTypeOf(env.fromSource(() => (Math.random() > 2 ? END : Math.random()))).toEqualTypeOf<DataStream<number>>();
expectTypeOf(env.fromSource(async () => (Math.random() > 2 ? undefined : String(Math.random())))).toEqualTypeOf<DataStream<string>>();
expectTypeOf(env.fromSource(new ReadableStream<string>())).toEqualTypeOf<DataStream<string>>();
expectTypeOf(env.fromSource(FileSource.textLines('a.txt'))).toEqualTypeOf<DataStream<string>>();
env.fromSource(Readable.from(['a']));
// @ts-expect-error -- the constructor needs a number
env.fromBatch(Countdown, 'three');
// @ts-expect-error -- the constructor needs an argument
env.fromBatch(Countdown);
// @ts-expect-error -- a number is no source
env.fromSource(3);
// @ts-expect-error -- a sink is no source
env.fromSource(new JsonLinesSink('out.jsonl'));

// --- map
class Scale extends MapFunction<Bid, number> {
  readonly factor: number;
  constructor(factor: number, _label = '') {
    super();
    this.factor = factor;
  }
  execute(bid: Bid) {
    return bid.price * this.factor;
  }
}
class Load extends MapFunction<Bid, { bid: Bid }> {
  async execute(bid: Bid) {
    return bid.price > 0 ? { bid } : undefined;
  }
}
class Strict extends MapFunction<Bid & { readonly extra: 1 }, 1> {
  execute(bid: Bid & { readonly extra: 1 }) {
    return bid.extra;
  }
}
expectTypeOf(bids.map((bid) => bid.price)).toEqualTypeOf<DataStream<number>>();
expectTypeOf(bids.map(async (bid) => bid.price)).toEqualTypeOf<DataStream<number>>();
expectTypeOf(bids.map((bid) => (bid.price > 1 ? bid : undefined))).toEqualTypeOf<DataStream<Bid>>();
expectTypeOf(bids.map((bid) => (bid.price > 1 ? null : bid))).toEqualTypeOf<DataStream<Bid | null>>();
expectTypeOf(bids.map(async (bid) => (bid.price > 1 ? bid : undefined))).toEqualTypeOf<DataStream<Bid>>();
expectTypeOf(bids.map(Scale, 2)).toEqualTypeOf<DataStream<number>>();
expectTypeOf(bids.map(Scale, 2, 'label')).toEqualTypeOf<DataStream<number>>();
expectTypeOf(bids.map(new Scale(2))).toEqualTypeOf<DataStream<number>>();
expectTypeOf(bids.map(Load)).toEqualTypeOf<DataStream<{ bid: Bid }>>();
expectTypeOf(bids.map((bid) => bid.channel).map(Number)).toEqualTypeOf<DataStream<number>>();
// @ts-expect-error -- the constructor needs a number
bids.map(Scale, 'two');
// @ts-expect-error -- the constructor needs an argument
bids.map(Scale);
// @ts-expect-error -- too many arguments
bids.map(Load, 1);
// @ts-expect-error -- arguments are for classes
bids.map((bid) => bid, 1);
// @ts-expect-error -- the class wants records that this stream does not have
bids.map(Strict);
// @ts-expect-error -- unknown field
bids.map((bid) => bid.nothing);
// @ts-expect-error -- no function
bids.map(1);

// --- flatMap
class Words extends FlatMapFunction<string, { word: string }> {
  execute(line: string) {
    for (const word of line.split(' ')) this.collect({ word });
  }
}
const lines = bids.map((bid) => bid.channel);
expectTypeOf(lines.flatMap((line) => line.split(' '))).toEqualTypeOf<DataStream<string>>();
expectTypeOf(lines.flatMap((line) => [line, 1])).toEqualTypeOf<DataStream<string | number>>();
expectTypeOf(lines.flatMap((line) => line)).toEqualTypeOf<DataStream<string>>();
expectTypeOf(lines.flatMap(async (line) => [line.length])).toEqualTypeOf<DataStream<number>>();
expectTypeOf(lines.flatMap((line) => (line === '' ? undefined : [line]))).toEqualTypeOf<DataStream<string>>();
expectTypeOf(
  lines.flatMap(function* (line) {
    yield line.length;
  }),
).toEqualTypeOf<DataStream<number>>();
expectTypeOf(
  lines.flatMap(async function* (line) {
    yield line.length;
  }),
).toEqualTypeOf<DataStream<number>>();
expectTypeOf(lines.flatMap(Words)).toEqualTypeOf<DataStream<{ word: string }>>();
expectTypeOf(lines.flatMap(new Words())).toEqualTypeOf<DataStream<{ word: string }>>();
// @ts-expect-error -- a number cannot be flattened
lines.flatMap((line) => line.length);

// --- filter
class Above extends FilterFunction<{ readonly price: number }> {
  readonly limit: number;
  constructor(limit: number) {
    super();
    this.limit = limit;
  }
  execute(record: { readonly price: number }) {
    return record.price > this.limit;
  }
}
expectTypeOf(bids.filter((bid) => bid.price)).toEqualTypeOf<DataStream<Bid>>();
expectTypeOf(bids.filter(async (bid) => bid.price > 1)).toEqualTypeOf<DataStream<Bid>>();
expectTypeOf(bids.filter(Above, 3)).toEqualTypeOf<DataStream<Bid>>();
expectTypeOf(env.fromBatch([1, null]).filter((n) => n !== null)).toEqualTypeOf<DataStream<number>>();
expectTypeOf(env.fromBatch([1, 'a']).filter((x): x is string => typeof x === 'string')).toEqualTypeOf<DataStream<string>>();

// --- keyBy
class ByChannel extends KeyByFunction<Bid, string> {
  execute(bid: Bid) {
    return bid.channel;
  }
}
class ByBucket extends KeyByFunction<Bid, number> {
  readonly size: number;
  constructor(size: number) {
    super();
    this.size = size;
  }
  execute(bid: Bid) {
    return Math.floor(bid.price / this.size);
  }
}
expectTypeOf(bids.keyBy((bid) => bid.auction)).toEqualTypeOf<KeyedStream<number, Bid>>();
expectTypeOf(bids.keyBy(async (bid) => bid.auction)).toEqualTypeOf<KeyedStream<number, Bid>>();
expectTypeOf(bids.keyBy('channel')).toEqualTypeOf<KeyedStream<string, Bid>>();
expectTypeOf(bids.keyBy('seller.id')).toEqualTypeOf<KeyedStream<string, Bid>>();
expectTypeOf(bids.keyBy('seller.rank', { strategy: 'roundRobin' })).toEqualTypeOf<KeyedStream<number | null, Bid>>();
expectTypeOf(bids.keyBy(ByChannel, { strategy: 'broadcast' })).toEqualTypeOf<KeyedStream<string, Bid>>();
expectTypeOf(bids.keyBy(ByBucket, { args: [10] })).toEqualTypeOf<KeyedStream<number, Bid>>();
expectTypeOf(bids.keyBy(new ByBucket(10))).toEqualTypeOf<KeyedStream<number, Bid>>();
expectTypeOf(bids.map((bid): unknown => bid).keyBy('anything')).toEqualTypeOf<KeyedStream<unknown, unknown>>();
// @ts-expect-error -- no such field
bids.keyBy('nothing');
// @ts-expect-error -- no such nested field
bids.keyBy('seller.nothing');
// @ts-expect-error -- no such strategy
bids.keyBy('channel', { strategy: 'random' });
// @ts-expect-error -- the constructor needs an argument
bids.keyBy(ByBucket);

// The key stays through map, flatMap and filter.
const keyed = bids.keyBy('auction');
expectTypeOf(keyed.map((bid) => bid.channel)).toEqualTypeOf<KeyedStream<number, string>>();
expectTypeOf(keyed.filter((bid) => bid.price > 1)).toEqualTypeOf<KeyedStream<number, Bid>>();
expectTypeOf(keyed.flatMap((bid) => [bid.price, bid.channel])).toEqualTypeOf<KeyedStream<number, number | string>>();
expectTypeOf(keyed.map(Scale, 1).named('scaled').parallelism(2)).toEqualTypeOf<KeyedStream<number, number>>();
expectTypeOf(keyed.reduce((a, b) => (a.price > b.price ? a : b))).toEqualTypeOf<DataStream<Bid>>();
expectTypeOf(keyed.reduce(async (a) => a, { emit: { everyMs: 10 } })).toEqualTypeOf<DataStream<Bid>>();
// @ts-expect-error -- reduce gives what it takes
keyed.reduce((a, b) => a.price + b.price);

// --- union, and streams as parameters
expectTypeOf(bids.union(bids)).toEqualTypeOf<DataStream<Bid>>();
expectTypeOf(bids.union(lines, keyed.map(Scale, 1))).toEqualTypeOf<DataStream<Bid | string | number>>();
expectTypeOf(keyed).toExtend<DataStream<Bid>>();
expectTypeOf(keyed).toExtend<DataStream<{ readonly price: number }>>();
expectTypeOf(bids).toExtend<DataStream<unknown>>();
expectTypeOf(bids).not.toExtend<DataStream<string>>();
expectTypeOf(bids).not.toExtend<KeyedStream<number, Bid>>();

// --- sinks
class Store extends SinkFunction<Bid> {
  readonly table: string;
  constructor(table: string) {
    super();
    this.table = table;
  }
  async execute(_bid: Bid) {}
}
const numbers = bids.map((bid) => bid.price);
const wider: (number | string)[] = [];
const strings: string[] = [];
expectTypeOf(numbers.sink(wider)).toEqualTypeOf<DataStream<number>>();
expectTypeOf(keyed.sink((bid) => void bid.price, { name: 'out', uid: 'out', parallelism: 1 })).toEqualTypeOf<KeyedStream<number, Bid>>();
expectTypeOf(bids.sink(Store, { args: ['bids'], name: 'store' })).toEqualTypeOf<DataStream<Bid>>();
expectTypeOf(bids.sink(new Store('bids'))).toEqualTypeOf<DataStream<Bid>>();
expectTypeOf(bids.sink(Store, { args: ['bids'] as const })).toEqualTypeOf<DataStream<Bid>>();
expectTypeOf(bids.sink(new JsonLinesSink('out.jsonl')).print('bid').named('shown')).toEqualTypeOf<DataStream<Bid>>();
bids.sink(new ParquetSink('out.parquet'));
lines.sink(new TextLinesSink('out.txt'));
expectTypeOf(bids.collect()).toEqualTypeOf<CollectedRecords<Bid>>();
expectTypeOf(bids.collect()).toExtend<AsyncIterable<Bid>>();
numbers.sink([]).sink([] as unknown[]);
// @ts-expect-error -- something with push is no array
numbers.sink({ push: (...items: number[]) => items.length, length: 0 });
// @ts-expect-error -- the array holds strings
numbers.sink(strings);
// @ts-expect-error -- text lines are strings
numbers.sink(new TextLinesSink('out.txt'));
// @ts-expect-error -- Parquet rows are objects
numbers.sink(new ParquetSink('out.parquet'));
// @ts-expect-error -- a source is no sink
bids.sink(FileSource.jsonLines<Bid>('bids.jsonl'));
// @ts-expect-error -- the constructor needs an argument
bids.sink(Store);
// @ts-expect-error -- no such column
FileSource.parquet<Bid>('bids.parquet', { columns: ['nothing'] });

// --- operators that keep the key
class Rate extends MapFunction<Bid, string> {
  readonly #factor: number;
  constructor(factor: number, _unit?: string) {
    super();
    this.#factor = factor;
  }
  execute(bid: Bid): string {
    return `${bid.price * this.#factor}`;
  }
}
class Score {
  async execute(bid: Bid, call: AsyncCall): Promise<number | undefined> {
    return call.attempt > 1 ? undefined : bid.price;
  }
}
class Spread extends ProcessFunction<Bid, { id: number }> {
  constructor(_width: number) {
    super();
  }
  execute(bid: Bid): void {
    this.collect({ id: bid.auction });
  }
}

expectTypeOf(bids.mapAsync(async (bid) => bid.price, { concurrency: 4 })).toEqualTypeOf<DataStream<number>>();
expectTypeOf(bids.mapAsync(async (bid) => (bid.price > 1 ? bid.channel : undefined), { concurrency: 4 })).toEqualTypeOf<DataStream<string>>();
expectTypeOf(bids.mapAsync((bid, { signal, attempt, key }) => ({ bid, signal, attempt, key }), { concurrency: 1, timeoutMs: 5, retry: { retry: 2, backoffMs: 10 } })).toEqualTypeOf<
  DataStream<{ bid: Bid; signal: AbortSignal; attempt: number; key: unknown }>
>();
expectTypeOf(bids.mapAsync(Rate, { concurrency: 2, args: [2, 'EUR'] })).toEqualTypeOf<DataStream<string>>();
expectTypeOf(bids.mapAsync(Score, { concurrency: 2 })).toEqualTypeOf<DataStream<number>>();
expectTypeOf(bids.mapAsync(new Rate(2), { concurrency: 2 })).toEqualTypeOf<DataStream<string>>();
expectTypeOf(keyed.mapAsync(async (bid) => bid.price, { concurrency: 4, ordered: false, concurrencyPerKey: 2 })).toEqualTypeOf<KeyedStream<number, number>>();
expectTypeOf(keyed.mapAsync(Rate, { concurrency: 2, args: [2] })).toEqualTypeOf<KeyedStream<number, string>>();
// @ts-expect-error -- the concurrency is needed
bids.mapAsync(async (bid) => bid.price, { ordered: false });
// @ts-expect-error -- the constructor needs an argument
bids.mapAsync(Rate, { concurrency: 2 });
// @ts-expect-error -- a number is needed
bids.mapAsync(Rate, { concurrency: 2, args: ['2'] });
// @ts-expect-error -- another record
lines.mapAsync(Rate, { concurrency: 2, args: [2] });

expectTypeOf(bids.process(Spread, 3)).toEqualTypeOf<DataStream<{ id: number }>>();
expectTypeOf(keyed.process(new Spread(3))).toEqualTypeOf<KeyedStream<number, { id: number }>>();
// @ts-expect-error -- the constructor needs an argument
bids.process(Spread);

// State and timers belong to a key: the stream has one, of a type that the function takes.
class Sums extends KeyedProcessFunction<number | string, { auction: number }, { total: number }> {
  readonly #start: number;
  constructor(start: number) {
    super();
    this.#start = start;
  }
  execute(bid: { auction: number }): void {
    expectTypeOf(this.ctx.key).toEqualTypeOf<number | string>();
    expectTypeOf(this.ctx.state.value('n', { default: 0 }).get()).toEqualTypeOf<number>();
    expectTypeOf(this.ctx.state.value<number>('n').get()).toEqualTypeOf<number | undefined>();
    expectTypeOf(this.ctx.state.value('v', { default: { count: 0 }, version: 2, migrate: (old, fromVersion) => ({ count: Number(old) + fromVersion }) }).get()).toEqualTypeOf<{ count: number }>();
    expectTypeOf(this.ctx.state.list<Date>('d', { version: 2, migrate: (old: number) => new Date(old) })).toExtend<Iterable<Date>>();
    // @ts-expect-error what migrate makes is no value of the map
    this.ctx.state.map<string, Date>('e', { version: 2, migrate: () => 'a text' });
    expectTypeOf(this.ctx.state.list<Date>('l')).toExtend<Iterable<Date>>();
    expectTypeOf(this.ctx.state.map<string, Date>('m').get('a')).toEqualTypeOf<Date | undefined>();
    this.collect({ total: bid.auction + this.#start });
  }
}
expectTypeOf(keyed.process(Sums, 1)).toEqualTypeOf<KeyedStream<number, { total: number }>>();
expectTypeOf(keyed.process(new Sums(1))).toEqualTypeOf<KeyedStream<number, { total: number }>>();
// @ts-expect-error -- a constructor argument is missing
keyed.process(Sums);
// @ts-expect-error -- no key
bids.process(Sums, 1);
class Texts extends KeyedProcessFunction<string, { auction: number }, number> {
  execute(): void {}
}
// @ts-expect-error -- the key is a number
keyed.process(Texts);

expectTypeOf(bids.batch({ max: 10, waitMs: 5, bytes: 1000, weight: (bid) => bid.price, by: 'seller.id', maxOpen: 5 })).toEqualTypeOf<DataStream<Bid[]>>();
expectTypeOf(keyed.batch({ max: 10 })).toEqualTypeOf<KeyedStream<number, Bid[]>>();
expectTypeOf(keyed.batch({ max: 10, by: (bid) => bid.channel })).toEqualTypeOf<DataStream<Bid[]>>();
// @ts-expect-error -- a weight is a number
bids.batch({ max: 10, weight: (bid) => bid.channel });

expectTypeOf(keyed.dedup()).toEqualTypeOf<KeyedStream<number, Bid>>();
expectTypeOf(keyed.dedup('seller.id', { ttlMs: 1 }).limit(3).sample(0.5).sample({ every: 2 })).toEqualTypeOf<KeyedStream<number, Bid>>();
expectTypeOf(bids.dedup((bid) => bid.channel).limit(3).sample({ fraction: 0.5, seed: 1 })).toEqualTypeOf<DataStream<Bid>>();
expectTypeOf(keyed.zipWithIndex()).toEqualTypeOf<KeyedStream<number, [Bid, number]>>();
expectTypeOf(keyed.rebalance()).toEqualTypeOf<DataStream<Bid>>();
expectTypeOf(keyed.map((bid) => bid.price).onError('skip').named('prices')).toEqualTypeOf<KeyedStream<number, number>>();
// @ts-expect-error -- no such field
bids.dedup('nothing');
// @ts-expect-error -- either a fraction or every
bids.sample({ fraction: 0.5, every: 2 });

// --- branches
const { cheap, dear } = keyed.split((bid) => (bid.price < 5 ? 'cheap' : 'dear'), ['cheap', 'dear']);
expectTypeOf(cheap).toEqualTypeOf<KeyedStream<number, Bid>>();
expectTypeOf(dear).toEqualTypeOf<KeyedStream<number, Bid>>();
expectTypeOf(bids.split(async () => ['a', 'b'] as const, ['a', 'b']).b).toEqualTypeOf<DataStream<Bid>>();
// @ts-expect-error -- a name that is not in the list
bids.split(() => 'c', ['a', 'b']);
// @ts-expect-error -- no such stream
void bids.split(() => 'a', ['a', 'b']).c;

expectTypeOf(bids.route((bid) => bid.channel)).toEqualTypeOf<RoutedStream<Bid>>();
expectTypeOf(bids.route((bid) => bid.channel).to('web')).toEqualTypeOf<DataStream<Bid>>();
expectTypeOf(keyed.route(async (bid) => [bid.channel])).toEqualTypeOf<KeyedRoutedStream<number, Bid>>();
expectTypeOf(keyed.route((bid) => bid.channel).to('web')).toEqualTypeOf<KeyedStream<number, Bid>>();
expectTypeOf(keyed.route((bid) => bid.channel).to('web').aggregate({ n: count() })).toEqualTypeOf<DataStream<{ key: number; n: number }>>();
const merged = keyed.route((bid) => bid.channel, {
  web: (stream) => stream.map((bid) => bid.price),
  shop: (stream) => stream.aggregate({ n: count() }),
  archive: (stream) => void stream.sink([]),
  default: (stream) => stream,
});
expectTypeOf(merged).toEqualTypeOf<DataStream<number | { key: number; n: number } | Bid>>();

// --- side outputs and dead letters
const broken = new OutputTag<{ line: string }>('broken');
expectTypeOf(bids.map(Rate, 1).sideOutput(broken)).toEqualTypeOf<DataStream<{ line: string }>>();
expectTypeOf(bids.map(Rate, 1).sideOutput('broken')).toEqualTypeOf<DataStream<unknown>>();
expectTypeOf(bids.map(Rate, 1).onError('deadLetter').deadLetters<Bid>()).toEqualTypeOf<DataStream<DeadLetter<Bid>>>();
// @ts-expect-error -- no such policy
bids.map((bid) => bid).onError('ignore');

// --- modifiers and jobs
expectTypeOf(bids.named('a').uid('b').parallelism('auto')).toEqualTypeOf<DataStream<Bid>>();
// @ts-expect-error -- a word that is not 'auto'
bids.parallelism('many');
expectTypeOf(env.submit()).toEqualTypeOf<Promise<Job>>();
expectTypeOf(env.submit({ autostop: true })).toEqualTypeOf<Promise<JobResult>>();
