import { createReadStream, readFileSync, statSync } from 'node:fs';

import type { BaseParse } from 'udsv';

import type { BenchCase, Run, RunOutcome, VariantContext } from '../harness/bench-case.ts';
import { PageTotals } from './page-totals.ts';
import { type PageTotal, type PageView, pagesChecksum, pageViewsCsvPath, writePageViewsCsv } from './page-views.ts';

type Fields = Record<string, unknown>;

/** Chunks of the file as text, as large as peers like them. */
const chunksOf = (path: string): AsyncIterable<string> => createReadStream(path, { encoding: 'utf8', highWaterMark: 256 * 1024 });

/** Adds the speed to what a run gives. */
const withSpeed = (path: string, run: () => Promise<Iterable<PageTotal>>): Run => {
  const megabytes = statSync(path).size / 1e6;
  return async (): Promise<RunOutcome> => {
    const startMs = performance.now();
    const checksum = pagesChecksum(await run());
    return { checksum, figures: { 'MB/s': megabytes / ((performance.now() - startMs) / 1000) } };
  };
};

const startSage = (parallelism: number) => async ({ folder, records }: VariantContext): Promise<Run> => {
  const { pages, results } = await import('./csv-pipeline.ts');
  const path = pageViewsCsvPath(folder, records);
  return withSpeed(path, async () => {
    results.totals = [];
    await pages.run({ path }, { parallelism });
    return results.totals;
  });
};

export const benchCase: BenchCase = {
  row: 'csv',
  title: 'CSV file of six columns, objects with numbers and booleans, filter and aggregate by lambdas',
  records: 500_000,
  quickRecords: 300_000,
  per: 'record',
  rounds: 3,
  prepare: ({ folder, records }) => writePageViewsCsv(folder, records),
  variants: [
    {
      name: 'csv-parse',
      warmups: 1,
      samples: 2,
      async start({ folder, records }) {
        const { parse } = await import('csv-parse');
        const path = pageViewsCsvPath(folder, records);
        return withSpeed(path, async () => {
          const totals = new PageTotals();
          const cast = (text: string, { index, header }: { index: number; header: boolean }): string | number | boolean => {
            if (header || index === 1 || index === 2) return text;
            return index === 5 ? text === 'true' : Number(text);
          };
          const rows = createReadStream(path, { highWaterMark: 256 * 1024 }).pipe(parse({ columns: true, cast: cast as never }));
          for await (const view of rows) totals.add(view as PageView);
          return totals.values();
        });
      },
    },
    {
      name: 'uDSV',
      warmups: 1,
      samples: 2,
      async start({ folder, records }) {
        const { inferSchema, initParser } = await import('udsv');
        const path = pageViewsCsvPath(folder, records);
        return withSpeed(path, async () => {
          const totals = new PageTotals();
          let parser: ReturnType<typeof initParser> | undefined;
          for await (const chunk of chunksOf(path)) {
            parser ??= initParser(inferSchema(chunk));
            parser.chunk(chunk, parser.typedObjs as BaseParse<Fields>, (view) => totals.add(view as PageView & Fields));
          }
          parser?.end();
          return totals.values();
        });
      },
    },
    {
      name: 'uDSV, the file as one text',
      warmups: 1,
      samples: 2,
      async start({ folder, records }) {
        const { inferSchema, initParser } = await import('udsv');
        const path = pageViewsCsvPath(folder, records);
        return withSpeed(path, async () => {
          const totals = new PageTotals();
          const text = readFileSync(path, 'utf8');
          initParser(inferSchema(text.slice(0, 10_000))).typedObjs<Fields>(text, (view) => totals.add(view as PageView & Fields));
          return totals.values();
        });
      },
    },
    {
      name: 'papaparse',
      warmups: 1,
      samples: 2,
      async start({ folder, records }) {
        const { default: papa } = await import('papaparse');
        const path = pageViewsCsvPath(folder, records);
        return withSpeed(
          path,
          () =>
            new Promise((resolve, reject) => {
              const totals = new PageTotals();
              papa.parse<PageView>(createReadStream(path, { highWaterMark: 256 * 1024 }), {
                header: true,
                dynamicTyping: true,
                skipEmptyLines: true,
                chunk: ({ data }) => {
                  for (const view of data) totals.add(view);
                },
                complete: () => resolve(totals.values()),
                error: reject,
              });
            }),
        );
      },
    },
    { name: 'sage', ours: true, warmups: 1, start: startSage(1) },
    { name: 'sage, parallelism 2', ours: true, warmups: 1, start: startSage(2) },
  ],
  goals: [
    { ours: 'sage', peers: ['csv-parse'], atLeast: 4 },
    { ours: 'sage', peers: ['uDSV', 'uDSV, the file as one text', 'papaparse'], atLeast: 1 },
  ],
  informative: [['sage, parallelism 2', 'sage']],
};
