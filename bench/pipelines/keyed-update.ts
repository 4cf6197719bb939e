import type { BenchCase, Run, VariantContext } from '../harness/bench-case.ts';
import { SLOT_MASK, makeSlots, slotsChecksum } from './escape-slots.ts';
import { type Purchase, type Total, makePurchases, shareKeys } from './purchases.ts';

/** Keeps one object a key and gives a copy of it for each record. */
function objectsInMap(purchases: readonly Purchase[]): number {
  const slots = makeSlots<Total>();
  let stored = 0;
  const byKey = new Map<string, { count: number; total: number }>();
  for (let i = 0; i < purchases.length; i++) {
    const { customer, amount } = purchases[i]!;
    let state = byKey.get(customer);
    if (state === undefined) byKey.set(customer, (state = { count: 0, total: 0 }));
    state.count++;
    state.total += amount;
    slots[stored++ & SLOT_MASK] = { key: customer, count: state.count, total: state.total };
  }
  return slotsChecksum(slots, stored);
}

/** The same over numbers in columns, found by a slot. */
function slotsInMap(purchases: readonly Purchase[]): number {
  const slots = makeSlots<Total>();
  let stored = 0;
  const slotOf = new Map<string, number>();
  const counts: number[] = [];
  const totals: number[] = [];
  for (let i = 0; i < purchases.length; i++) {
    const { customer, amount } = purchases[i]!;
    let slot = slotOf.get(customer);
    if (slot === undefined) {
      slot = counts.push(0) - 1;
      totals.push(0);
      slotOf.set(customer, slot);
    }
    slots[stored++ & SLOT_MASK] = { key: customer, count: ++counts[slot]!, total: (totals[slot]! += amount) };
  }
  return slotsChecksum(slots, stored);
}

const startHand = (work: (purchases: readonly Purchase[]) => number, shared: boolean) => async ({ records }: VariantContext): Promise<Run> => {
  const purchases = shared ? shareKeys(makePurchases(records)) : makePurchases(records);
  return () => ({ checksum: work(purchases) });
};

const startSage = (shared: boolean) => async ({ records, engine }: VariantContext): Promise<Run> => {
  const { LocalEnvironment, count, sum } = await engine();
  const purchases = shared ? shareKeys(makePurchases(records)) : makePurchases(records);
  return async () => {
    const slots = makeSlots<Total>();
    let stored = 0;
    const env = new LocalEnvironment('keyed-update');
    env
      .fromCollection(purchases)
      .keyBy('customer')
      .aggregate({ count: count(), total: sum('amount') }, { emit: 'update' })
      .sink((total) => {
        slots[stored++ & SLOT_MASK] = total;
      });
    await env.submit({ autostop: true });
    return { checksum: slotsChecksum(slots, stored) };
  };
};

export const benchCase: BenchCase = {
  row: 'keyed-update',
  title: 'keyed count and sum, 100,000 string keys, running update per record',
  records: 2_000_000,
  quickRecords: 1_000_000,
  per: 'record',
  variants: [
    { name: 'Map of objects', start: startHand(objectsInMap, false) },
    { name: 'Map to slots', start: startHand(slotsInMap, false) },
    { name: 'sage', ours: true, start: startSage(false) },
    { name: 'sage with error policies', ours: true, tolerant: true, start: startSage(false) },
    { name: 'Map of objects, shared strings', start: startHand(objectsInMap, true) },
    { name: 'sage, shared strings', ours: true, start: startSage(true) },
  ],
  goals: [
    { ours: 'sage', peers: ['Map of objects', 'Map to slots'], atLeast: 1.5 },
    { ours: 'sage with error policies', peers: ['Map of objects', 'Map to slots'], atLeast: 1.5 },
  ],
  informative: [['sage, shared strings', 'Map of objects, shared strings']],
};
