import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

import type { BenchCase, Run, RunOutcome, VariantContext } from '../harness/bench-case.ts';
import { forEachLine } from './line-chunks.ts';
import { PageTotals } from './page-totals.ts';
import { type PageTotal, type PageView, pageViewsMB, pageViewsPath, pagesChecksum, writePageViews } from './page-views.ts';

/** Adds the speed to what a run gives. */
const withSpeed = ({ folder, records }: VariantContext, run: () => Promise<Iterable<PageTotal>>): Run => {
  const megabytes = pageViewsMB(folder, records);
  return async (): Promise<RunOutcome> => {
    const startMs = performance.now();
    const checksum = pagesChecksum(await run());
    return { checksum, figures: { 'MB/s': megabytes / ((performance.now() - startMs) / 1000) } };
  };
};

const startSage = (parallelism: number, tolerant: boolean = false) => async (context: VariantContext): Promise<Run> => {
  const { pages, results } = await import('./json-lines-pipeline.ts');
  const path = pageViewsPath(context.folder, context.records);
  return withSpeed(context, async () => {
    results.totals = [];
    await pages.run({ path, tolerant }, { parallelism });
    return results.totals;
  });
};

export const benchCase: BenchCase = {
  row: 'json-lines',
  title: 'JSON lines file of six fields a line, filter and aggregate by lambdas',
  records: 2_000_000,
  quickRecords: 300_000,
  per: 'record',
  rounds: 3,
  prepare: ({ folder, records }) => writePageViews(folder, records),
  variants: [
    {
      name: 'readline + JSON.parse',
      warmups: 1,
      samples: 2,
      async start(context) {
        const path = pageViewsPath(context.folder, context.records);
        return withSpeed(context, async () => {
          const totals = new PageTotals();
          for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) totals.add(JSON.parse(line) as PageView);
          return totals.values();
        });
      },
    },
    {
      name: 'readline events + JSON.parse',
      warmups: 1,
      samples: 2,
      async start(context) {
        const path = pageViewsPath(context.folder, context.records);
        return withSpeed(
          context,
          () =>
            new Promise((resolve, reject) => {
              const totals = new PageTotals();
              const input = createReadStream(path);
              input.on('error', reject);
              createInterface({ input, crlfDelay: Infinity })
                .on('line', (line) => totals.add(JSON.parse(line) as PageView))
                .on('close', () => resolve(totals.values()));
            }),
        );
      },
    },
    {
      name: 'chunks cut by hand + JSON.parse',
      warmups: 1,
      samples: 2,
      async start(context) {
        const path = pageViewsPath(context.folder, context.records);
        return withSpeed(context, async () => {
          const totals = new PageTotals();
          await forEachLine(path, (line) => totals.add(JSON.parse(line) as PageView));
          return totals.values();
        });
      },
    },
    { name: 'sage', ours: true, warmups: 1, start: startSage(1) },
    { name: 'sage with error policies', ours: true, warmups: 1, start: startSage(1, true) },
    { name: 'sage, parallelism 2', ours: true, warmups: 1, start: startSage(2) },
  ],
  goals: [
    { ours: 'sage', peers: ['readline + JSON.parse', 'readline events + JSON.parse'], atLeast: 4 },
    { ours: 'sage with error policies', peers: ['readline + JSON.parse', 'readline events + JSON.parse'], atLeast: 4 },
  ],
  informative: [
    ['sage', 'chunks cut by hand + JSON.parse'],
    ['sage, parallelism 2', 'sage'],
  ],
};
