import type { BenchCase, Run, VariantContext } from '../harness/bench-case.ts';
import { SLOT_MASK, makeSlots, slotsChecksum } from './escape-slots.ts';
import { type Order, type OrderItem, makeOrders } from './orders.ts';

interface Line {
  readonly product: number;
  readonly gross: number;
}

const makeSteps = () => ({
  isLarge: (order: Order): boolean => order.quantity > 2,
  items: (order: Order): readonly OrderItem[] => order.items,
  line: (item: OrderItem): Line => ({ product: item.product, gross: item.price * 1.19 }),
  isDear: (line: Line): boolean => line.gross > 10,
});

function handWritten(orders: readonly Order[]): number {
  const slots = makeSlots<Line>();
  let stored = 0;
  for (let i = 0; i < orders.length; i++) {
    const order = orders[i]!;
    if (order.quantity <= 2) continue;
    for (const item of order.items) {
      const gross = item.price * 1.19;
      if (gross > 10) slots[stored++ & SLOT_MASK] = { product: item.product, gross };
    }
  }
  return slotsChecksum(slots, stored);
}

async function startSage({ records, engine }: VariantContext): Promise<Run> {
  const { LocalEnvironment } = await engine();
  const orders = makeOrders(records);
  return async () => {
    const steps = makeSteps();
    const slots = makeSlots<Line>();
    let stored = 0;
    const env = new LocalEnvironment('flat-map');
    env
      .fromCollection(orders)
      .filter(steps.isLarge)
      .flatMap(steps.items)
      .map(steps.line)
      .filter(steps.isDear)
      .sink((line) => {
        slots[stored++ & SLOT_MASK] = line;
      });
    await env.submit({ autostop: true });
    return { checksum: slotsChecksum(slots, stored) };
  };
}

export const benchCase: BenchCase = {
  row: 'flat-map',
  title: 'objects: filter -> flatMap to three -> map -> filter',
  records: 4_000_000,
  quickRecords: 1_000_000,
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
        const { filter, from, map, mergeMap } = await import('rxjs');
        const orders = makeOrders(records);
        return () => {
          const steps = makeSteps();
          const slots = makeSlots<Line>();
          let stored = 0;
          from(orders as Order[])
            .pipe(filter(steps.isLarge), mergeMap((order) => steps.items(order) as OrderItem[]), map(steps.line), filter(steps.isDear))
            .subscribe((line) => {
              slots[stored++ & SLOT_MASK] = line;
            });
          return { checksum: slotsChecksum(slots, stored) };
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
