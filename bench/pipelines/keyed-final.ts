import type { BenchCase, Run, VariantContext } from '../harness/bench-case.ts';
import { type Purchase, type Total, makePurchases, shareKeys, totalsChecksum } from './purchases.ts';

function objectsInMap(purchases: readonly Purchase[]): Total[] {
  const byKey = new Map<string, { key: string; count: number; total: number }>();
  for (let i = 0; i < purchases.length; i++) {
    const { customer, amount } = purchases[i]!;
    const found = byKey.get(customer);
    if (found === undefined) byKey.set(customer, { key: customer, count: 1, total: amount });
    else {
      found.count++;
      found.total += amount;
    }
  }
  return [...byKey.values()];
}

function slotsInMap(purchases: readonly Purchase[]): Total[] {
  const slots = new Map<string, number>();
  const keys: string[] = [];
  let counts = new Float64Array(1024);
  let totals = new Float64Array(1024);
  for (let i = 0; i < purchases.length; i++) {
    const { customer, amount } = purchases[i]!;
    let slot = slots.get(customer);
    if (slot === undefined) {
      slot = keys.push(customer) - 1;
      slots.set(customer, slot);
      if (slot === counts.length) {
        counts = growTwice(counts);
        totals = growTwice(totals);
      }
    }
    counts[slot]!++;
    totals[slot]! += amount;
  }
  return keys.map((key, slot) => ({ key, count: counts[slot]!, total: totals[slot]! }));
}

function growTwice(values: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(values.length * 2);
  larger.set(values);
  return larger;
}

const startHand = (work: (purchases: readonly Purchase[]) => Total[], shared: boolean) => async ({ records }: VariantContext): Promise<Run> => {
  const purchases = shared ? shareKeys(makePurchases(records)) : makePurchases(records);
  return () => ({ checksum: totalsChecksum(work(purchases)) });
};

const startSage = (shared: boolean) => async ({ records, engine }: VariantContext): Promise<Run> => {
  const { LocalEnvironment, count, sum } = await engine();
  const purchases = shared ? shareKeys(makePurchases(records)) : makePurchases(records);
  return async () => {
    const totals: Total[] = [];
    const env = new LocalEnvironment('keyed-final');
    env.fromCollection(purchases).keyBy('customer').aggregate({ count: count(), total: sum('amount') }).sink(totals);
    await env.submit({ autostop: true });
    return { checksum: totalsChecksum(totals) };
  };
};

export const benchCase: BenchCase = {
  row: 'keyed-final',
  title: 'keyed count and sum, 100,000 string keys, emit final',
  records: 2_000_000,
  quickRecords: 1_000_000,
  per: 'record',
  variants: [
    { name: 'Map of objects', start: startHand(objectsInMap, false) },
    { name: 'Map to slots', start: startHand(slotsInMap, false) },
    { name: 'sage', ours: true, start: startSage(false) },
    { name: 'sage with error policies', ours: true, tolerant: true, start: startSage(false) },
    { name: 'Map of objects, shared strings', start: startHand(objectsInMap, true) },
    { name: 'Map to slots, shared strings', start: startHand(slotsInMap, true) },
    { name: 'sage, shared strings', ours: true, start: startSage(true) },
  ],
  goals: [
    { ours: 'sage', peers: ['Map of objects', 'Map to slots'], atLeast: 2 },
    { ours: 'sage with error policies', peers: ['Map of objects', 'Map to slots'], atLeast: 2 },
  ],
  informative: [
    ['sage, shared strings', 'Map of objects, shared strings'],
    ['sage, shared strings', 'Map to slots, shared strings'],
  ],
};
