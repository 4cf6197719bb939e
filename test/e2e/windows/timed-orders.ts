import type { DataStream, LocalEnvironment } from '../../../ts/index.ts';

/** A record of the streams that windows are told about in. */
export interface Order {
  readonly shop: string;
  readonly price: number;
  readonly at: number;
}

/** Of two shops, out of order, in two windows of ten seconds. */
export const orders: readonly Order[] = [
  { shop: 'a', price: 5, at: 1_000 },
  { shop: 'b', price: 2, at: 4_500 },
  { shop: 'a', price: 7, at: 4_000 },
  { shop: 'a', price: 1, at: 12_000 },
];

/** A stream of orders with their event time, of which none is late. */
export const timedOrders = (env: LocalEnvironment, records: readonly Order[] = orders): DataStream<Order> => env.fromCollection(records).assignTimestamps('at', { outOfOrdernessMs: 1_000 });
