import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';

import type { BenchCase, Run, VariantContext } from '../harness/bench-case.ts';
import { PageTotals } from './page-totals.ts';
import { type PageTotal, type PageView, packPageViews, pageViewsGzipPath, pagesChecksum } from './page-views.ts';

const starting =
  (read: (path: string) => Promise<Iterable<PageTotal>>) =>
  async ({ folder, records }: VariantContext): Promise<Run> => {
    const path = pageViewsGzipPath(folder, records);
    return async () => ({ checksum: pagesChecksum(await read(path)) });
  };

async function startSage({ folder, records }: VariantContext): Promise<Run> {
  const { pages, results } = await import('./json-lines-pipeline.ts');
  const path = pageViewsGzipPath(folder, records);
  return async () => {
    results.totals = [];
    await pages.run({ path, tolerant: false }, { parallelism: 1 });
    return { checksum: pagesChecksum(results.totals) };
  };
}

export const benchCase: BenchCase = {
  row: 'json-lines-gzip',
  title: 'the same JSON lines packed with gzip',
  records: 2_000_000,
  quickRecords: 300_000,
  per: 'record',
  rounds: 3,
  prepare: ({ folder, records }) => packPageViews(folder, records),
  variants: [
    {
      name: 'zlib + readline + JSON.parse',
      warmups: 1,
      samples: 2,
      start: starting(async (path) => {
        const totals = new PageTotals();
        const unpacked = createGunzip();
        const reading = pipeline(createReadStream(path), unpacked);
        for await (const line of createInterface({ input: unpacked, crlfDelay: Infinity })) totals.add(JSON.parse(line) as PageView);
        await reading;
        return totals.values();
      }),
    },
    {
      name: 'zlib + readline events + JSON.parse',
      warmups: 1,
      samples: 2,
      start: starting(async (path) => {
        const totals = new PageTotals();
        const unpacked = createGunzip();
        const lines = createInterface({ input: unpacked, crlfDelay: Infinity }).on('line', (line) => totals.add(JSON.parse(line) as PageView));
        const closed = new Promise((resolve) => lines.on('close', resolve));
        await pipeline(createReadStream(path), unpacked);
        await closed;
        return totals.values();
      }),
    },
    { name: 'sage', ours: true, warmups: 1, start: startSage },
  ],
  goals: [{ ours: 'sage', peers: ['zlib + readline + JSON.parse', 'zlib + readline events + JSON.parse'], atLeast: 3 }],
};
