/** The mistakes that people make most, each as they would write it; the golden texts beside this file are what they read. */
import { count, JsonLinesSink, LocalEnvironment, MapFunction, sum } from '../../../ts/index.ts';

interface Order {
  readonly id: number;
  readonly price: number;
}

const orders: readonly Order[] = [{ id: 1, price: 2 }];

class Priced extends MapFunction<Order, number> {
  readonly price: (order: Order) => number;
  constructor(price: (order: Order) => number) {
    super();
    this.price = price;
  }
  execute(order: Order) {
    return this.price(order);
  }
}

/** What the types refuse, as people without them write it. */
type Untyped = never;

/** By name of the golden text: a pipeline with one mistake. */
export const mistakes: Readonly<Record<string, () => unknown>> = {
  'not-a-function'() {
    const env = new LocalEnvironment('orders');
    env
      .fromCollection(orders)
      .map({ price: 2 } as Untyped)
      .print();
  },

  'forgotten-await'() {
    const env = new LocalEnvironment('orders');
    env.fromBatch(Promise.resolve(orders) as Untyped).print();
  },

  'sink-of-a-path'() {
    const env = new LocalEnvironment('orders');
    env.fromCollection(orders).sink('orders.jsonl' as Untyped);
  },

  'unknown-option'() {
    const env = new LocalEnvironment('orders');
    env
      .fromCollection(orders)
      .keyBy('id', { strategie: 'hash' } as Untyped)
      .aggregate({ orders: count() })
      .print();
  },

  'unknown-setting-of-a-file'() {
    return new JsonLinesSink('orders.jsonl', { makeDirectory: true } as Untyped);
  },

  'aggregator-not-called'() {
    const env = new LocalEnvironment('orders');
    env.fromCollection(orders).aggregate({ orders: count as Untyped }).print();
  },

  'sum-of-nothing'() {
    const env = new LocalEnvironment('orders');
    env
      .fromCollection(orders)
      .keyBy('id')
      .aggregate({
        orders: count(),
        total: (sum as Untyped as () => Untyped)(),
      })
      .print();
  },

  'wrong-parallelism'() {
    return new LocalEnvironment('orders', { parallelism: 0 });
  },

  'instances-of-a-generator'() {
    const env = new LocalEnvironment('ticks');
    const ticks = env.fromSource(function* () {
      yield 1;
    });
    ticks.parallelism(4).print();
  },

  'function-as-class-argument'() {
    const env = new LocalEnvironment('orders');
    env.fromCollection(orders).map(Priced, (order) => order.price).print();
  },

  'uid-twice'() {
    const env = new LocalEnvironment('orders');
    const dear = env.fromCollection(orders).filter((order) => order.price > 1).uid('dear');
    dear
      .map((order) => order.price)
      .uid('dear')
      .print();
  },

  'stream-of-another-environment'() {
    const first = new LocalEnvironment('first').fromCollection(orders);
    const second = new LocalEnvironment('second').fromCollection(orders);
    first.union(second).print();
  },

  'keyed-state-behind-broadcast'() {
    const env = new LocalEnvironment('orders');
    const rules = env.fromCollection(orders).keyBy('id', { strategy: 'broadcast' });
    rules.aggregate({ total: sum('price') }).print();
  },

  async 'no-sink'() {
    const env = new LocalEnvironment('orders');
    env.fromCollection(orders).map((order) => order.price);
    await env.submit({ autostop: true });
  },

  async 'never-emits'() {
    const env = new LocalEnvironment('ticks');
    const ticks = env.fromSource(() => ({ ms: Date.now() }), { unbounded: true });
    ticks
      .aggregate({ ticks: count() })
      .print();
    await env.submit({ autostop: true });
  },

  async 'collect-with-autostop'() {
    const env = new LocalEnvironment('orders');
    const prices = env.fromCollection(orders).map((order) => order.price).collect();
    await env.submit({ autostop: true });
    return prices;
  },

  async 'two-sinks-one-file'() {
    const env = new LocalEnvironment('orders');
    const stream = env.fromCollection(orders);
    stream.filter((order) => order.price > 1).sink(new JsonLinesSink('out/orders.jsonl'));
    stream.filter((order) => order.price <= 1).sink(new JsonLinesSink('out/orders.jsonl'));
    await env.submit({ autostop: true });
  },

  async 'closed-environment'() {
    const env = new LocalEnvironment('orders');
    await env.close();
    env.fromCollection(orders).print();
  },
};
