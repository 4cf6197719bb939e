/** What the keyed rows work on. */
export interface Purchase {
  readonly customer: string;
  readonly amount: number;
}

/** Result of a customer. */
export interface Total {
  readonly key: string;
  readonly count: number;
  readonly total: number;
}

export const CUSTOMERS = 100_000;

/**
 * Purchases in memory, of customers in no order. Each record has a string of its own, as records from a parser, a socket
 * or a database driver have; amounts are whole cents, so that sums do not depend on their order.
 */
export function makePurchases(count: number): readonly Purchase[] {
  const chunks: Purchase[][] = [];
  for (let from = 0; from < count; from += 100_000) {
    const texts: string[] = [];
    for (let n = from; n < Math.min(count, from + 100_000); n++) {
      const customer = Math.imul(n, 2_654_435_761) >>> 0;
      texts.push(`{"customer":"customer-${String(customer % CUSTOMERS).padStart(6, '0')}","amount":${(n * 37) % 10_000}}`);
    }
    chunks.push(JSON.parse(`[${texts.join(',')}]`) as Purchase[]);
  }
  return chunks.flat();
}

/** The same with one string object for each customer: the best case for a `Map`, which then compares addresses. */
export function shareKeys(purchases: readonly Purchase[]): readonly Purchase[] {
  const known = new Map<string, string>();
  return purchases.map(({ customer, amount }) => {
    let key = known.get(customer);
    if (key === undefined) known.set(customer, (key = customer));
    return { customer: key, amount };
  });
}

/** Of final results, whatever their order. */
export function totalsChecksum(totals: Iterable<Total>): number {
  let keys = 0;
  let sum = 0;
  for (const { key, count, total } of totals) {
    keys++;
    sum = (sum + Number(key.slice(9)) * 31 + count * 1009 + total * 7) % 1_000_000_007;
  }
  return keys * 1_000_000_007 + sum;
}
