/** Mistakes with time, state, joins and loops, each as people would write it. */
import {
  BroadcastProcessFunction,
  countWindow,
  KeyedCoProcessFunction,
  KeyedProcessFunction,
  type KeyedStream,
  LocalEnvironment,
  sum,
  type TimeWindow,
  timestamped,
  tumbling,
} from '../../../ts/index.ts';

interface Order {
  readonly id: number;
  readonly price: number;
  readonly at: number;
}
interface Payment {
  readonly id: number;
  readonly at: number;
}

const orders: readonly Order[] = [{ id: 1, price: 2, at: 1_000 }];
const payments: readonly Payment[] = [{ id: 1, at: 2_000 }];

class Paid extends KeyedCoProcessFunction<number, [Order, Payment], number> {
  execute0({ id }: Order): void {
    this.collect(id);
  }
}

class PaidOrders extends Paid {
  execute1({ id }: Payment): void {
    this.collect(id);
  }
}

class Limits extends BroadcastProcessFunction<Order, Payment, number> {
  execute({ price }: Order): void {
    this.collect(price);
  }
  executeBroadcast(): void {}
}

class Alerts extends KeyedProcessFunction<number, Order, number> {
  execute({ price }: Order): void {
    this.collect(price);
  }
}

/** What the types refuse, as people without them write it. */
type Untyped = never;

/** By name of the golden text: a pipeline with one mistake. */
export const mistakesOfTime: Readonly<Record<string, () => unknown>> = {
  async 'window-of-mixed-streams'() {
    const env = new LocalEnvironment('orders');
    const live = env.fromCollection(orders).assignTimestamps('at', { outOfOrdernessMs: 0 });
    const replayed = env.fromCollection(orders);
    live
      .union(replayed)
      .window(tumbling('10s'))
      .aggregate({ total: sum('price') })
      .print();
    await env.submit({ autostop: true });
  },

  async 'join-of-mixed-streams'() {
    const env = new LocalEnvironment('orders');
    const ordered = env.fromCollection(orders).assignTimestamps('at', { outOfOrdernessMs: 0 }).keyBy('id');
    const paid = env.fromCollection(payments).keyBy('id');
    ordered.intervalJoin(paid, { after: '1h' }, (order, payment) => payment.at - order.at).print();
    await env.submit({ autostop: true });
  },

  async 'table-of-mixed-streams'() {
    const env = new LocalEnvironment('orders');
    const ordered = env.fromCollection(orders).assignTimestamps('at', { outOfOrdernessMs: 0 }).keyBy('id');
    const prices = env.fromCollection(orders).keyBy('id').asTable();
    ordered.join(prices, (order, { price }) => order.price - price).print();
    await env.submit({ autostop: true });
  },

  async 'join-without-times'() {
    const env = new LocalEnvironment('orders');
    const ordered = env.fromCollection(orders).keyBy('id');
    ordered.asOfJoin(env.fromCollection(payments).keyBy('id'), {}, (order, payment) => payment.at - order.at).print();
    await env.submit({ autostop: true });
  },

  'timestamps-without-disorder'() {
    const env = new LocalEnvironment('orders');
    env.fromCollection(orders).assignTimestamps('at', {} as Untyped).print();
  },

  'timestamped-without-option'() {
    const env = new LocalEnvironment('orders');
    env.fromSource(orders.map((order) => timestamped(order, order.at))).print();
  },

  'timestamps-beside-a-schema'() {
    const env = new LocalEnvironment('orders');
    const schema = { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } };
    env.fromSource(orders, { schema, timestamps: { outOfOrdernessMs: 0 } } as Untyped).print();
  },

  'window-of-a-number'() {
    const env = new LocalEnvironment('orders');
    env.fromCollection(orders).window(10_000 as Untyped).map(({ elements }) => elements.length).print();
  },

  'window-in-milliseconds'() {
    const env = new LocalEnvironment('orders');
    env.fromCollection(orders).window({ timeWindowMs: 10_000 } as unknown as TimeWindow).map(({ elements }) => elements.length).print();
  },

  'lateness-of-count-windows'() {
    const env = new LocalEnvironment('orders');
    env.fromCollection(orders).window(countWindow(10)).allowedLateness('5s').aggregate({ total: sum('price') }).print();
  },

  async 'future-not-filled'() {
    const env = new LocalEnvironment('orders');
    const again = env.fromFuture<Order>('again');
    env.fromCollection(orders).union(again).print();
    await env.submit({ autostop: true });
  },

  'future-filled-twice'() {
    const env = new LocalEnvironment('orders');
    const again = env.fromFuture<Order>('again');
    const all = env.fromCollection(orders).union(again);
    all.filter(({ price }) => price > 1).fillFuture(again);
    all.filter(({ price }) => price < 0).fillFuture(again);
  },

  async 'aggregate-in-a-loop'() {
    const env = new LocalEnvironment('orders');
    const again = env.fromFuture<Order>('again');
    env
      .fromCollection(orders)
      .union(again)
      .keyBy('id')
      .reduce((a, b) => ({ ...a, price: a.price + b.price }))
      .filter(({ price }) => price < 10)
      .fillFuture(again);
    await env.submit({ autostop: true });
  },

  async 'window-in-a-loop'() {
    const env = new LocalEnvironment('orders');
    const again = env.fromFuture<Order>('again');
    env
      .fromCollection(orders)
      .union(again)
      .assignTimestamps('at', { outOfOrdernessMs: 0 })
      .window(tumbling('10s'))
      .reduce((a, b) => (a.price > b.price ? a : b))
      .fillFuture(again);
    await env.submit({ autostop: true });
  },

  async 'nothing-enters-the-loop'() {
    const env = new LocalEnvironment('orders');
    const again = env.fromFuture<Order>('again');
    again.filter(({ price }) => price < 10).fillFuture(again);
    await env.submit({ autostop: true });
  },

  async 'future-that-is-no-loop'() {
    const env = new LocalEnvironment('orders');
    const again = env.fromFuture<Order>('again');
    env.fromCollection(orders).filter(({ price }) => price < 10).fillFuture(again);
    again.print();
    await env.submit({ autostop: true });
  },

  'handler-of-a-stream-missing'() {
    const env = new LocalEnvironment('orders');
    const ordered = env.fromCollection(orders).keyBy('id');
    const paid = env.fromCollection(payments).keyBy('id');
    ordered.connect(paid).process(Paid as Untyped).print();
  },

  'comap-with-one-function'() {
    const env = new LocalEnvironment('orders');
    const paid = env.fromCollection(payments);
    env.fromCollection(orders).connect(paid).comap([({ id }: Order) => id] as Untyped).print();
  },

  'function-of-connected-streams-without-key'() {
    const env = new LocalEnvironment('orders');
    const paid = env.fromCollection(payments) as unknown as KeyedStream<number, Payment>;
    env.fromCollection(orders).keyBy('id').connect(paid).process(PaidOrders).print();
  },

  'timers-without-key'() {
    const env = new LocalEnvironment('orders');
    env.fromCollection(orders).process(Alerts as Untyped).print();
  },

  'broadcast-beside-another-stream'() {
    const env = new LocalEnvironment('orders');
    const limits = env.fromCollection(payments).broadcast();
    const others = env.fromCollection(payments);
    env.fromCollection(orders).connect(limits as Untyped, others).comap(Limits as Untyped).print();
  },

  'broadcast-function-for-two-streams'() {
    const env = new LocalEnvironment('orders');
    const ordered = env.fromCollection(orders).keyBy('id');
    ordered.connect(env.fromCollection(payments).keyBy('id')).process(Limits as Untyped).print();
  },

  'join-without-key'() {
    const env = new LocalEnvironment('orders');
    const paid = env.fromCollection(payments).keyBy('id');
    const ordered = env.fromCollection(orders) as unknown as KeyedStream<number, Order>;
    ordered.connect(paid).join({ within: '1h' }, (order, payment) => payment.at - order.at).print();
  },

  'join-without-function'() {
    const env = new LocalEnvironment('orders');
    const ordered = env.fromCollection(orders).keyBy('id');
    ordered.intervalJoin(env.fromCollection(payments).keyBy('id'), { after: '1h' } as Untyped, undefined as Untyped).print();
  },

  'table-with-a-lifetime-in-text'() {
    const env = new LocalEnvironment('orders');
    return env.fromCollection(orders).keyBy('id').asTable({ ttl: '1h' } as Untyped);
  },

  'lookup-without-key'() {
    const env = new LocalEnvironment('orders');
    env.fromCollection(orders).lookup(async (id: number) => ({ id }), { concurrency: 4 } as Untyped, (order, row) => [order, row]).print();
  },

  'lookup-without-concurrency'() {
    const env = new LocalEnvironment('orders');
    env.fromCollection(orders).lookup(async (id: number) => ({ id }), { key: 'id' } as Untyped, (order, row) => [order, row]).print();
  },

  'state-in-an-unknown-place'() {
    return new LocalEnvironment('orders', { state: 'redis' as Untyped });
  },

  'state-with-too-little-memory'() {
    return new LocalEnvironment('orders', { state: { kind: 'disk', memoryBytes: '1GB' as Untyped } });
  },
};
