import type { BenchCase, Run, VariantContext } from '../harness/bench-case.ts';
import { SLOT_MASK, makeSlots, slotsChecksum } from './escape-slots.ts';
import { type Order, makeOrders } from './orders.ts';

interface Scored {
  readonly id: number;
  readonly region: string;
  readonly score: number;
}

function handWritten(orders: readonly Order[]): number {
  const slots = makeSlots<Scored>();
  let stored = 0;
  for (let i = 0; i < orders.length; i++) {
    const order = orders[i]!;
    let score = order.amount;
    if (order.quantity <= 0) continue;
    score *= order.quantity;
    if (score <= 5) continue;
    score += 3;
    if (order.id % 17 === 0) continue;
    score *= 1.19;
    if (order.region === 'islands') continue;
    score -= 1;
    if (score > 900) continue;
    score /= 2;
    if (score < 2) continue;
    score += order.id % 7;
    score = Math.sqrt(score);
    slots[stored++ & SLOT_MASK] = { id: order.id, region: order.region, score };
  }
  return slotsChecksum(slots, stored);
}

const score = (record: Scored, value: number): Scored => ({ id: record.id, region: record.region, score: value });

async function startSage({ records, engine }: VariantContext): Promise<Run> {
  const { LocalEnvironment } = await engine();
  const orders = makeOrders(records);
  return async () => {
    const slots = makeSlots<Scored>();
    let stored = 0;
    const env = new LocalEnvironment('operators-15');
    env
      .fromCollection(orders)
      .filter((order) => order.quantity > 0)
      .map((order): Scored => ({ id: order.id, region: order.region, score: order.amount * order.quantity }))
      .filter((record) => record.score > 5)
      .map((record) => score(record, record.score + 3))
      .filter((record) => record.id % 17 !== 0)
      .map((record) => score(record, record.score * 1.19))
      .filter((record) => record.region !== 'islands')
      .map((record) => score(record, record.score - 1))
      .filter((record) => record.score <= 900)
      .map((record) => score(record, record.score / 2))
      .filter((record) => record.score >= 2)
      .map((record) => score(record, record.score + (record.id % 7)))
      .filter((record) => record.id >= 0)
      .map((record) => score(record, Math.sqrt(record.score)))
      .filter((record) => record.score > 0)
      .sink((record) => {
        slots[stored++ & SLOT_MASK] = record;
      });
    await env.submit({ autostop: true });
    return { checksum: slotsChecksum(slots, stored) };
  };
}

export const benchCase: BenchCase = {
  row: 'operators-15',
  title: 'objects: 15 operators (8 filters, 7 maps)',
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
