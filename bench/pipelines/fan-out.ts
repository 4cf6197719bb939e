import type { BenchCase, Run, VariantContext } from '../harness/bench-case.ts';
import { SLOT_MASK, makeSlots, slotsChecksum } from './escape-slots.ts';
import { type Order, makeOrders } from './orders.ts';

interface Priced {
  readonly id: number;
  readonly region: string;
  readonly total: number;
}

interface Small {
  readonly id: number;
  readonly missing: number;
}

const makeSteps = () => ({
  price: (order: Order): Priced => ({ id: order.id, region: order.region, total: order.amount * order.quantity }),
  isLarge: (order: Priced): boolean => order.total > 100,
  isSmall: (order: Priced): boolean => order.total < 50,
  small: (order: Priced): Small => ({ id: order.id, missing: 50 - order.total }),
});

function handWritten(orders: readonly Order[]): number {
  const large = makeSlots<Priced>();
  const small = makeSlots<Small>();
  let larges = 0;
  let smalls = 0;
  for (let i = 0; i < orders.length; i++) {
    const order = orders[i]!;
    const total = order.amount * order.quantity;
    if (total > 100) large[larges++ & SLOT_MASK] = { id: order.id, region: order.region, total };
    if (total < 50) small[smalls++ & SLOT_MASK] = { id: order.id, missing: 50 - total };
  }
  return slotsChecksum(large, larges) + slotsChecksum(small, smalls);
}

async function startSage({ records, engine }: VariantContext): Promise<Run> {
  const { LocalEnvironment } = await engine();
  const orders = makeOrders(records);
  return async () => {
    const steps = makeSteps();
    const large = makeSlots<Priced>();
    const small = makeSlots<Small>();
    let larges = 0;
    let smalls = 0;
    const env = new LocalEnvironment('fan-out');
    const priced = env.fromCollection(orders).map(steps.price);
    priced.filter(steps.isLarge).sink((order) => {
      large[larges++ & SLOT_MASK] = order;
    });
    priced
      .filter(steps.isSmall)
      .map(steps.small)
      .sink((order) => {
        small[smalls++ & SLOT_MASK] = order;
      });
    await env.submit({ autostop: true });
    return { checksum: slotsChecksum(large, larges) + slotsChecksum(small, smalls) };
  };
}

export const benchCase: BenchCase = {
  row: 'fan-out',
  title: 'objects: map -> two branches (filter; filter -> map) -> two sinks',
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
    {
      name: 'rxjs',
      async start({ records }) {
        const { connectable, filter, from, map } = await import('rxjs');
        const orders = makeOrders(records);
        return () => {
          const steps = makeSteps();
          const large = makeSlots<Priced>();
          const small = makeSlots<Small>();
          let larges = 0;
          let smalls = 0;
          const priced = connectable(from(orders as Order[]).pipe(map(steps.price)));
          priced.pipe(filter(steps.isLarge)).subscribe((order) => {
            large[larges++ & SLOT_MASK] = order;
          });
          priced.pipe(filter(steps.isSmall), map(steps.small)).subscribe((order) => {
            small[smalls++ & SLOT_MASK] = order;
          });
          priced.connect();
          return { checksum: slotsChecksum(large, larges) + slotsChecksum(small, smalls) };
        };
      },
    },
  ],
  goals: [
    { ours: 'sage', peers: ['hand-written loop'], atMost: 2 },
    { ours: 'sage with error policies', peers: ['hand-written loop'], atMost: 2 },
    { ours: 'sage after ten others', peers: ['hand-written loop'], atMost: 2 },
  ],
  informative: [['sage', 'rxjs']],
};
