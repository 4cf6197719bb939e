import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Small inputs that lie beside the examples of every document, by name. */
export const exampleFiles: ReadonlyMap<string, string> = new Map([
  [
    'bids.jsonl',
    lines([
      { auction: 1, bidder: 7, price: 120, channel: 'web', dateTime: 1_700_000_000_000 },
      { auction: 2, bidder: 8, price: 80, channel: 'app', dateTime: 1_700_000_001_000 },
      { auction: 1, bidder: 9, price: 180, channel: 'web', dateTime: 1_700_000_002_000 },
      { auction: 3, bidder: 7, price: 500, channel: 'app', dateTime: 1_700_000_003_000 },
    ]),
  ],
  [
    'orders.jsonl',
    lines([
      { id: 1, customer: 'Ada', price: 120, items: ['tea'] },
      { id: 2, customer: 'Bob', price: 40, items: ['ink', 'pen'] },
      { id: 3, customer: 'Ada', price: 210, items: [] },
    ]),
  ],
  ['logs/monday.jsonl', lines([{ level: 'info', text: 'up' }, { level: 'error', text: 'down' }])],
  ['logs/tuesday.jsonl', lines([{ level: 'info', text: 'up again' }])],
  ['stock.csv', 'id,name\n7,lamp\n107,"desk, oak"\n'],
  ['poem.txt', 'to be\nor not\nto be\n'],
]);

/** Lays them into a folder. */
export function writeExampleFiles(folder: string): void {
  for (const [name, text] of exampleFiles) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

function lines(records: readonly object[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('');
}
