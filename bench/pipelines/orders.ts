/** What most rows work on. */
export interface Order {
  readonly id: number;
  readonly customer: number;
  readonly amount: number;
  readonly quantity: number;
  readonly region: string;
  readonly items: readonly OrderItem[];
}

/** A line of an order. */
export interface OrderItem {
  readonly product: number;
  readonly price: number;
}

const POOL = 65_536;
const REGIONS = ['north', 'south', 'east', 'west', 'centre', 'islands'];

/**
 * An array of so many orders. It holds 65,536 objects again and again: with millions of them a row would measure the
 * machine's memory, which is the same for all variants, and not what they do.
 */
export function makeOrders(count: number): readonly Order[] {
  const pool: Order[] = [];
  for (let n = 0; n < Math.min(POOL, count); n++) {
    pool.push({
      id: n,
      customer: (n * 7919) % 10_007,
      amount: ((n * 31) % 10_000) / 100,
      quantity: 1 + (n % 9),
      region: REGIONS[n % REGIONS.length]!,
      items: [
        { product: n % 101, price: (n % 50) + 0.5 },
        { product: n % 103, price: (n % 70) + 0.25 },
        { product: n % 107, price: n % 90 },
      ],
    });
  }
  const orders = new Array<Order>(count);
  for (let n = 0; n < count; n++) orders[n] = pool[n % POOL]!;
  return orders;
}
