import { expect, test } from 'vitest';
import { JsonLinesSink } from '../../../ts/connectors/json-lines-sink.ts';
import { KeyedStream } from '../../../ts/datastream/streams.ts';
import { LocalEnvironment } from '../../../ts/environment/local-environment.ts';
import { count, sum } from '../../../ts/functions/builtin-aggregators.ts';
import { KeyByFunction } from '../../../ts/functions/key-by-function.ts';
import { MapFunction } from '../../../ts/functions/map-function.ts';
import { SinkFunction } from '../../../ts/functions/sink-function.ts';
import type { KeyByTransformation } from '../../../ts/transformations/key-by-transformation.ts';
import type { SinkTransformation } from '../../../ts/transformations/sink-transformation.ts';
import type { Transformation } from '../../../ts/transformations/transformation.ts';

interface Order {
  readonly id: number;
  readonly price: number;
  readonly user: { readonly id: string };
}
const ORDERS: readonly Order[] = [{ id: 1, price: 2, user: { id: 'a' } }];

const environment = () => new LocalEnvironment('test');
const names = (env: LocalEnvironment) => env.pipeline.map((operator) => operator.name);
const inputs = (env: LocalEnvironment) => env.pipeline.map((operator) => operator.inputs.map((input) => input.id));

// Behaviour 1
test('nothing runs while a pipeline is built: no function is called, no source is read, no class is constructed', () => {
  let touched = 0;
  const touch = () => {
    touched += 1;
    return 1;
  };
  class Touching extends MapFunction<number, number> {
    constructor() {
      super();
      touch();
    }
    execute() {
      return touch();
    }
  }
  const env = environment();
  env
    .fromSource(function* () {
      yield touch();
    })
    .map(touch)
    .map(Touching)
    .filter(touch)
    .flatMap(() => [touch()])
    .keyBy(touch)
    .reduce(touch)
    .sink(touch);
  env.fromBatch({ [Symbol.iterator]: () => [touch()].values() }).print();
  expect(touched).toBe(0);
  expect(env.pipeline).toHaveLength(10);
});

// Behaviour 2
test('env.pipeline has the operators in the order of the calls, each with its place and its inputs', () => {
  const env = environment();
  const orders = env.fromCollection(ORDERS);
  const cheap = orders.filter((order) => order.price < 10);
  const dear = orders.filter((order) => order.price >= 10);
  cheap.union(dear).keyBy('user.id').aggregate({ n: count() }).sink([]);
  expect(env.pipeline.map(({ kind }) => kind)).toEqual(['source', 'filter', 'filter', 'union', 'keyBy', 'aggregate', 'sink']);
  expect(env.pipeline.map(({ id }) => id)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(inputs(env)).toEqual([[], [0], [0], [1, 2], [3], [4], [5]]);
});

test('equal names are made unique by a suffix, given names and default names alike', () => {
  const env = environment();
  const source = env.fromBatch([1]);
  source.map((n) => n);
  source.map((n) => n);
  source.map((n) => n).named('map-2');
  source.map((n) => n).named('orders');
  source.map((n) => n).named('orders');
  source.sink([], { name: 'orders' });
  expect(names(env)).toEqual(['source', 'map', 'map-2', 'map-2-2', 'orders', 'orders-2', 'orders-3']);
});

test('naming an operator as it is already named changes nothing', () => {
  const env = environment();
  env.fromBatch([1]).named('a').named('a');
  expect(names(env)).toEqual(['a']);
});

// Behaviour 3, as far as the plan says it
test('parallelism is what was asked for, and nothing when nothing was', () => {
  const env = environment();
  const numbers = env.fromBatch([1]).parallelism(3);
  numbers.map((n) => n);
  numbers.map((n) => n).parallelism('auto');
  numbers.keyBy((n) => n).parallelism(4);
  expect(env.pipeline.map(({ parallelism }) => parallelism)).toEqual([3, undefined, 'auto', 4]);
});

test('a stream is a value: operators on the same stream are branches, not a chain', () => {
  const env = environment();
  const numbers = env.fromBatch([1]);
  const doubled = numbers.map((n) => n * 2);
  const tripled = numbers.map((n) => n * 3);
  expect(doubled).not.toBe(numbers);
  expect(doubled.transformation.inputs).toEqual([numbers.transformation]);
  expect(tripled.transformation.inputs).toEqual([numbers.transformation]);
});

test('sink returns the stream, so that sinks chain; modifiers right behind a sink are the sink\'s', () => {
  const env = environment();
  env
    .fromBatch([1])
    .map((n) => n)
    .uid('map')
    .sink(new JsonLinesSink('a.jsonl'))
    .named('file')
    .uid('file-uid')
    .parallelism(2)
    .sink([])
    .named('array')
    .print()
    .named('screen')
    .map((n) => n)
    .named('after');
  expect(names(env)).toEqual(['source', 'map', 'file', 'array', 'screen', 'after']);
  expect(inputs(env)).toEqual([[], [0], [1], [1], [1], [1]]);
  expect(env.pipeline.map(({ uid }) => uid)).toEqual([undefined, 'map', 'file-uid', undefined, undefined, undefined]);
  expect(env.pipeline.map(({ parallelism }) => parallelism)).toEqual([undefined, undefined, 2, undefined, undefined, undefined]);
});

test('the stream before sink still names its own operator', () => {
  const env = environment();
  const numbers = env.fromBatch([1]);
  numbers.sink([]);
  numbers.named('numbers');
  expect(names(env)).toEqual(['numbers', 'sink']);
});

test('options of sink are the same as the calls behind it', () => {
  const env = environment();
  env.fromBatch([1]).sink((n) => n, { name: 'out', uid: 'u', parallelism: 1 });
  expect(env.pipeline[1]).toMatchObject({ name: 'out', uid: 'u', parallelism: 1 });
});

test('sinks say what they are', () => {
  class Store extends SinkFunction<number> {
    readonly table: string;
    constructor(table: string) {
      super();
      this.table = table;
    }
    execute() {}
  }
  const env = environment();
  const target: number[] = [];
  const fn = (_n: number) => {};
  const store = new Store('b');
  env.fromBatch([1]).sink(target).sink(fn).sink(Store, { args: ['a'] }).sink(store).sink(new JsonLinesSink('x')).print().collect();
  const sinks = env.pipeline.slice(1).map((operator) => (operator as SinkTransformation).sink);
  expect(sinks).toMatchObject([
    { form: 'array' },
    { form: 'function', fn: { form: 'lambda', fn } },
    { form: 'function', fn: { form: 'class', ctor: Store, args: ['a'] } },
    { form: 'function', fn: { form: 'instance', object: store } },
    { form: 'native', spec: { type: 'jsonLines', path: 'x' } },
    { form: 'function', fn: { form: 'lambda' } },
    { form: 'collect', collector: { reading: false } },
  ]);
  expect(sinks[0]).toHaveProperty('target', target);
});

test('keyBy takes functions, field paths, classes and objects', () => {
  class ByPrice extends KeyByFunction<Order, number> {
    readonly step: number;
    constructor(step: number) {
      super();
      this.step = step;
    }
    execute(order: Order) {
      return Math.floor(order.price / this.step);
    }
  }
  const env = environment();
  const orders = env.fromCollection(ORDERS);
  const byId = (order: Order) => order.id;
  const selectors = [
    orders.keyBy(byId),
    orders.keyBy('user.id'),
    orders.keyBy(ByPrice, { args: [10] }),
    orders.keyBy(new ByPrice(5), { strategy: 'broadcast' }),
  ].map((stream) => stream.transformation as KeyByTransformation);
  expect(selectors).toMatchObject([
    { selector: { form: 'lambda', fn: byId }, strategy: 'hash' },
    { selector: { form: 'path', segments: ['user', 'id'] }, strategy: 'hash' },
    { selector: { form: 'class', ctor: ByPrice, args: [10] }, strategy: 'hash' },
    { selector: { form: 'instance' }, strategy: 'broadcast' },
  ]);
});

test('the key stays through map, filter, flatMap and sink; keyBy, union, reduce and aggregate end it', () => {
  const env = environment();
  const orders = env.fromCollection(ORDERS);
  const keyed = orders.keyBy('id');
  const still = keyed.map((order) => order).filter(() => true).flatMap((order) => [order]).sink([]).named('out');
  expect(still).toBeInstanceOf(KeyedStream);
  expect(still.transformation.keyedBy).toBe(keyed.transformation);
  const again = still.keyBy('price');
  expect(again.map((order) => order).transformation.keyedBy).toBe(again.transformation);
  for (const stream of [orders, still.union(keyed), still.reduce((order) => order), still.aggregate({ n: count() })]) {
    expect(stream.transformation.keyedBy).toBeUndefined();
    expect(stream).not.toBeInstanceOf(KeyedStream);
  }
  const keyedKinds = env.pipeline.filter((operator) => (operator as { keyed?: boolean }).keyed === true).map(({ kind }) => kind);
  expect(keyedKinds).toEqual(['reduce', 'aggregate']);
});

test('aggregates keep their names in order and say when they emit', () => {
  const env = environment();
  const orders = env.fromCollection(ORDERS);
  const max = { init: () => 0, add: (a: number, order: Order) => Math.max(a, order.price), result: (a: number) => a };
  orders.aggregate({ z: count(), a: sum('price'), max });
  orders.reduce((a) => a, { emit: 'update' });
  orders.keyBy('id').reduce((a) => a, { emit: { everyMs: 50 } });
  const [, aggregate, reduce, , keyed] = env.pipeline as readonly Transformation[];
  expect(aggregate).toMatchObject({ emit: 'final', keyed: false });
  expect(Object.keys((aggregate as { spec: object }).spec)).toEqual(['z', 'a', 'max']);
  expect(reduce).toMatchObject({ emit: 'update', keyed: false });
  expect(keyed).toMatchObject({ emit: { everyMs: 50 }, keyed: true });
});

test('a stream may be united with itself', () => {
  const env = environment();
  const numbers = env.fromBatch([1]);
  numbers.union(numbers, numbers);
  expect(inputs(env)).toEqual([[], [0, 0, 0]]);
});
