import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { type CustomerTotal, type Order, totals } from '../src/totals.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'totals-'));
});
after(() => rm(folder, { recursive: true, force: true }));

/** The records of a JSON lines file, in an order that does not depend on which instance wrote first. */
async function readTotals(path: string): Promise<CustomerTotal[]> {
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as CustomerTotal).toSorted((a, b) => a.key.localeCompare(b.key));
}

for (const parallelism of [1, 2]) {
  test(`adds up what was paid, at parallelism ${parallelism}`, async () => {
    // Given
    const orders: Order[] = [
      { id: 1, customer: 'Ada', price: 10, paid: true },
      { id: 2, customer: 'Bob', price: 7, paid: true },
      { id: 3, customer: 'Ada', price: 5, paid: true },
      { id: 4, customer: 'Ada', price: 99, paid: false },
    ];
    const input = join(folder, 'orders.jsonl');
    const output = join(folder, `totals-${parallelism}.jsonl`);
    await writeFile(input, orders.map((order) => `${JSON.stringify(order)}\n`).join(''));
    // When
    await totals.run({ input, output }, { parallelism });
    // Then
    assert.deepEqual(await readTotals(output), [
      { key: 'Ada', orders: 2, total: 15 },
      { key: 'Bob', orders: 1, total: 7 },
    ]);
  });
}
