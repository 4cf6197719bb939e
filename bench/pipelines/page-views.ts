import { createReadStream, createWriteStream, existsSync, statSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

/** A line of the JSON lines row: six fields, about 110 bytes. */
export interface PageView {
  readonly id: number;
  readonly user: string;
  readonly page: string;
  readonly ms: number;
  readonly bytes: number;
  readonly ok: boolean;
}

/** Result of a page. */
export interface PageTotal {
  readonly key: string;
  readonly views: number;
  readonly ms: number;
}

const PAGES = 500;
const LINES_A_WRITE = 10_000;

/** Where the file with so many lines lies. */
export function pageViewsPath(folder: string, records: number): string {
  return join(folder, `page-views-${records}.jsonl`);
}

/** Where the CSV file with so many records lies. */
export function pageViewsCsvPath(folder: string, records: number): string {
  return join(folder, `page-views-${records}.csv`);
}

/** Where the same file packed with gzip lies. */
export function pageViewsGzipPath(folder: string, records: number): string {
  return `${pageViewsPath(folder, records)}.gz`;
}

/** Size of the JSON lines in MB (10^6 bytes). */
export function pageViewsMB(folder: string, records: number): number {
  return statSync(pageViewsPath(folder, records)).size / 1e6;
}

/** Writes the file unless it is there. */
export async function writePageViews(folder: string, records: number): Promise<void> {
  await writeFile(pageViewsPath(folder, records), records, '', (view) => JSON.stringify(view));
}

/** Packs the file with gzip, at the level that the command of that name takes, unless that has been done. */
export async function packPageViews(folder: string, records: number): Promise<void> {
  const path = pageViewsGzipPath(folder, records);
  if (existsSync(path)) return;
  await writePageViews(folder, records);
  await pipeline(createReadStream(pageViewsPath(folder, records)), createGzip({ level: 6 }), createWriteStream(`${path}.tmp`));
  await rename(`${path}.tmp`, path);
}

/** Writes the CSV file unless it is there. */
export async function writePageViewsCsv(folder: string, records: number): Promise<void> {
  const line = ({ id, user, page, ms, bytes, ok }: PageView): string => `${id},${user},${page},${ms},${bytes},${ok}`;
  await writeFile(pageViewsCsvPath(folder, records), records, 'id,user,page,ms,bytes,ok\n', line);
}

async function writeFile(path: string, records: number, head: string, line: (view: PageView) => string): Promise<void> {
  if (existsSync(path)) return;
  const file = createWriteStream(`${path}.tmp`);
  for (let from = 0; from < records; from += LINES_A_WRITE) {
    let text = from === 0 ? head : '';
    for (let n = from; n < Math.min(records, from + LINES_A_WRITE); n++) text += `${line(pageView(n))}\n`;
    if (!file.write(text)) await once(file, 'drain');
  }
  file.end();
  await once(file, 'finish');
  await rename(`${path}.tmp`, path);
}

function pageView(n: number): PageView {
  const dice = Math.imul(n, 2_654_435_761) >>> 0;
  return {
    id: 1_000_000_000 + n,
    user: `user-${dice % 99_991}`,
    page: `/articles/2026/${dice % PAGES}/index.html`,
    ms: (dice % 100_000) / 8,
    bytes: dice % 1_000_003,
    ok: dice % 10 !== 0,
  };
}

/** Of final results, whatever their order; `ms` are multiples of 1/8, so that sums do not depend on their order. */
export function pagesChecksum(totals: Iterable<PageTotal>): number {
  let sum = 0;
  for (const { key, views, ms } of totals) sum = (sum + key.length * 31 + Number(key.split('/')[3]) * 17 + views * 1009 + ms * 8) % 1_000_000_007;
  return sum;
}
