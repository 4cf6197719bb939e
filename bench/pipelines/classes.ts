import type { BenchCase, Run, VariantContext } from '../harness/bench-case.ts';
import { SLOT_MASK, makeSlots, slotsChecksum } from './escape-slots.ts';
import { type Order, makeOrders } from './orders.ts';

interface Priced {
  readonly id: number;
  readonly region: string;
  readonly total: number;
}

interface Net {
  readonly id: number;
  readonly region: string;
  readonly net: number;
}

const RATE = 0.19;
const LEAST = 20;

/** With fields in place of constants: the instances of the classes below have them too. */
function handWritten(orders: readonly Order[]): number {
  const slots = makeSlots<Net>();
  let stored = 0;
  for (let i = 0; i < orders.length; i++) {
    const order = orders[i]!;
    const total = order.amount * order.quantity;
    if (total <= LEAST) continue;
    const net = total - total * RATE;
    if (order.region === 'islands') continue;
    slots[stored++ & SLOT_MASK] = { id: order.id, region: order.region, net: net + 1 };
  }
  return slotsChecksum(slots, stored);
}

async function startSage({ records, engine }: VariantContext): Promise<Run> {
  const { FilterFunction, LocalEnvironment, MapFunction } = await engine();
  class Price extends MapFunction<Order, Priced> {
    override execute(order: Order): Priced {
      return { id: order.id, region: order.region, total: order.amount * order.quantity };
    }
  }
  class AtLeast extends FilterFunction<Priced> {
    readonly least: number;
    constructor(least: number) {
      super();
      this.least = least;
    }
    override execute(order: Priced): boolean {
      return order.total > this.least;
    }
  }
  class Tax extends MapFunction<Priced, Net> {
    readonly rate: number;
    constructor(rate: number) {
      super();
      this.rate = rate;
    }
    override execute(order: Priced): Net {
      return { id: order.id, region: order.region, net: order.total - order.total * this.rate };
    }
  }
  class NotFrom extends FilterFunction<Net> {
    readonly region: string;
    constructor(region: string) {
      super();
      this.region = region;
    }
    override execute(order: Net): boolean {
      return order.region !== this.region;
    }
  }
  class Fee extends MapFunction<Net, Net> {
    override execute(order: Net): Net {
      return { id: order.id, region: order.region, net: order.net + 1 };
    }
  }
  const orders = makeOrders(records);
  return async () => {
    const slots = makeSlots<Net>();
    let stored = 0;
    const env = new LocalEnvironment('classes');
    env
      .fromCollection(orders)
      .map(Price)
      .filter(AtLeast, LEAST)
      .map(Tax, RATE)
      .filter(NotFrom, 'islands')
      .map(Fee)
      .sink((order) => {
        slots[stored++ & SLOT_MASK] = order;
      });
    await env.submit({ autostop: true });
    return { checksum: slotsChecksum(slots, stored) };
  };
}

export const benchCase: BenchCase = {
  row: 'classes',
  title: 'objects: five execute() classes',
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
  ],
  goals: [
    { ours: 'sage', peers: ['hand-written loop'], atMost: 2 },
    { ours: 'sage with error policies', peers: ['hand-written loop'], atMost: 2 },
    { ours: 'sage after ten others', peers: ['hand-written loop'], atMost: 2 },
  ],
};
