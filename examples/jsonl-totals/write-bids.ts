import { writeFileSync } from 'node:fs';

/** Writes a file of bids, the same ones every time. */
export function writeBids(path: string, bids: number): void {
  const lines = Array.from({ length: bids }, (_, n) =>
    JSON.stringify({
      auction: (n * 7919) % 100,
      bidder: (n * 104_729) % 1000,
      price: (n * 31_337) % 500,
      channel: n % 3 === 0 ? 'app' : 'web',
      dateTime: 1_700_000_000_000 + n * 250,
    }),
  );
  writeFileSync(path, `${lines.join('\n')}\n`);
}
