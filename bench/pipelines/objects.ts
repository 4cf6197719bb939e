import type { BenchCase, Run, Variant, VariantContext } from '../harness/bench-case.ts';
import { SLOT_MASK, makeSlots, slotsChecksum } from './escape-slots.ts';
import { type Order, makeOrders } from './orders.ts';

interface Priced {
  readonly id: number;
  readonly region: string;
  readonly total: number;
}

interface Taxed extends Priced {
  readonly tax: number;
}

interface Net {
  readonly id: number;
  readonly region: string;
  readonly net: number;
}

/** The five functions, as every variant but the loop takes them. */
const makeSteps = () => ({
  price: (order: Order): Priced => ({ id: order.id, region: order.region, total: order.amount * order.quantity }),
  isLarge: (order: Priced): boolean => order.total > 20,
  tax: (order: Priced): Taxed => ({ id: order.id, region: order.region, total: order.total, tax: order.total * 0.19 }),
  isHome: (order: Taxed): boolean => order.region !== 'islands',
  net: (order: Taxed): Net => ({ id: order.id, region: order.region, net: order.total - order.tax }),
});

/** The loop that a person would write; also the oracle. */
function handWritten(orders: readonly Order[]): number {
  const slots = makeSlots<Net>();
  let stored = 0;
  for (let i = 0; i < orders.length; i++) {
    const order = orders[i]!;
    const total = order.amount * order.quantity;
    if (total <= 20) continue;
    const tax = total * 0.19;
    if (order.region === 'islands') continue;
    slots[stored++ & SLOT_MASK] = { id: order.id, region: order.region, net: total - tax };
  }
  return slotsChecksum(slots, stored);
}

async function startSage({ records, engine }: VariantContext): Promise<Run> {
  const { LocalEnvironment } = await engine();
  const orders = makeOrders(records);
  return async () => {
    const steps = makeSteps();
    const slots = makeSlots<Net>();
    let stored = 0;
    const env = new LocalEnvironment('objects');
    env
      .fromCollection(orders)
      .map(steps.price)
      .filter(steps.isLarge)
      .map(steps.tax)
      .filter(steps.isHome)
      .map(steps.net)
      .sink((order) => {
        slots[stored++ & SLOT_MASK] = order;
      });
    await env.submit({ autostop: true });
    return { checksum: slotsChecksum(slots, stored) };
  };
}

const rxjs: Variant = {
  name: 'rxjs',
  async start({ records }) {
    const { filter, from, map } = await import('rxjs');
    const orders = makeOrders(records);
    return () => {
      const steps = makeSteps();
      const slots = makeSlots<Net>();
      let stored = 0;
      from(orders as Order[])
        .pipe(map(steps.price), filter(steps.isLarge), map(steps.tax), filter(steps.isHome), map(steps.net))
        .subscribe((order) => {
          slots[stored++ & SLOT_MASK] = order;
        });
      return { checksum: slotsChecksum(slots, stored) };
    };
  },
};

const nodeStreams: Variant = {
  name: 'node object streams',
  share: 0.05,
  async start({ records }) {
    const { Readable, Transform, Writable } = await import('node:stream');
    const { pipeline } = await import('node:stream/promises');
    const orders = makeOrders(records);
    const mapping = <T, R>(fn: (value: T) => R) =>
      new Transform({
        objectMode: true,
        transform(value: T, _encoding, done) {
          done(null, fn(value));
        },
      });
    const filtering = <T>(fn: (value: T) => boolean) =>
      new Transform({
        objectMode: true,
        transform(value: T, _encoding, done) {
          if (fn(value)) this.push(value);
          done();
        },
      });
    return async () => {
      const steps = makeSteps();
      const slots = makeSlots<Net>();
      let stored = 0;
      const sink = new Writable({
        objectMode: true,
        write(order: Net, _encoding, done) {
          slots[stored++ & SLOT_MASK] = order;
          done();
        },
      });
      await pipeline(Readable.from(orders), mapping(steps.price), filtering(steps.isLarge), mapping(steps.tax), filtering(steps.isHome), mapping(steps.net), sink);
      return { checksum: slotsChecksum(slots, stored) };
    };
  },
};

const asyncGenerators: Variant = {
  name: 'async generators',
  share: 0.05,
  async start({ records }) {
    const orders = makeOrders(records);
    async function* source() {
      yield* orders;
    }
    async function* mapping<T, R>(input: AsyncIterable<T>, fn: (value: T) => R): AsyncGenerator<R> {
      for await (const value of input) yield fn(value);
    }
    async function* filtering<T>(input: AsyncIterable<T>, fn: (value: T) => boolean): AsyncGenerator<T> {
      for await (const value of input) if (fn(value)) yield value;
    }
    return async () => {
      const steps = makeSteps();
      const slots = makeSlots<Net>();
      let stored = 0;
      const large = filtering(mapping(source(), steps.price), steps.isLarge);
      for await (const order of mapping(filtering(mapping(large, steps.tax), steps.isHome), steps.net)) slots[stored++ & SLOT_MASK] = order;
      return { checksum: slotsChecksum(slots, stored) };
    };
  },
};

export const benchCase: BenchCase = {
  row: 'objects',
  title: 'objects from an array, 5 lambdas, results into reused slots',
  records: 8_000_000,
  quickRecords: 2_000_000,
  per: 'record',
  oracle: (records) => handWritten(makeOrders(records)),
  variants: [
    {
      name: 'hand-written loop',
      async start({ records }) {
        const orders = makeOrders(records);
        return () => ({ checksum: handWritten(orders) });
      },
    },
    { name: 'sage', ours: true, start: startSage },
    { name: 'sage with error policies', ours: true, tolerant: true, start: startSage },
    { name: 'sage after ten others', ours: true, polluted: true, start: startSage },
    rxjs,
    nodeStreams,
    asyncGenerators,
  ],
  goals: [
    { ours: 'sage', peers: ['hand-written loop'], atMost: 1.3 },
    { ours: 'sage with error policies', peers: ['hand-written loop'], atMost: 1.3 },
    { ours: 'sage', peers: ['node object streams'], atLeast: 10 },
    { ours: 'sage', peers: ['async generators'], atLeast: 30 },
    { ours: 'sage after ten others', peers: ['hand-written loop'], atMost: 2 },
  ],
  informative: [['sage', 'rxjs']],
};
