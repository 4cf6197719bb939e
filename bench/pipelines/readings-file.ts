import { once } from 'node:events';
import { createWriteStream, existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';

import { readingOfFile } from './straggling-readings.ts';

const LINES_A_WRITE = 10_000;

/** Where the JSON lines with so many readings lie. */
export function readingsPath(folder: string, records: number): string {
  return join(folder, `readings-${records}.jsonl`);
}

/** Where the same readings lie as Parquet. */
export function readingsParquetPath(folder: string, records: number): string {
  return join(folder, `readings-${records}.parquet`);
}

/** Writes the JSON lines unless they are there. */
export async function writeReadings(folder: string, records: number): Promise<void> {
  const path = readingsPath(folder, records);
  if (existsSync(path)) return;
  const file = createWriteStream(`${path}.tmp`);
  for (let from = 0; from < records; from += LINES_A_WRITE) {
    let text = '';
    for (let n = from; n < Math.min(records, from + LINES_A_WRITE); n++) text += `${JSON.stringify(readingOfFile(n))}\n`;
    if (!file.write(text)) await once(file, 'drain');
  }
  file.end();
  await once(file, 'finish');
  await rename(`${path}.tmp`, path);
}

/** Makes the Parquet file of the JSON lines, unless it is there; by Polars, so that neither reader has its own writer's file. */
export async function writeReadingsParquet(folder: string, records: number): Promise<void> {
  const path = readingsParquetPath(folder, records);
  if (existsSync(path)) return;
  await writeReadings(folder, records);
  const { default: pl } = await import('nodejs-polars');
  pl.scanJson(readingsPath(folder, records)).collectSync().writeParquet(`${path}.tmp`, { compression: 'snappy' });
  await rename(`${path}.tmp`, path);
}
