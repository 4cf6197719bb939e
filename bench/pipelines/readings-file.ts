import { once } from 'node:events';
import { createWriteStream, existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';

import { type Reading, makeReading } from './readings.ts';

/** One of so many readings is a straggler, whatever its sensor. */
const STRAGGLER_EVERY = 10_007;
/** So much later than the others, which is behind every window that is open. */
const STRAGGLER_MS = 60_000;
const LINES_A_WRITE = 10_000;

/** Where the JSON lines with so many readings lie. */
export function readingsPath(folder: string, records: number): string {
  return join(folder, `readings-${records}.jsonl`);
}

/** Where the same readings lie as Parquet. */
export function readingsParquetPath(folder: string, records: number): string {
  return join(folder, `readings-${records}.parquet`);
}

/** A reading of the files: that of the windows row, but for a few which come too late for their window. */
export function readingOfFile(n: number): Reading {
  const reading = makeReading(n);
  return n % STRAGGLER_EVERY === STRAGGLER_EVERY - 1 ? { ...reading, at: reading.at - STRAGGLER_MS } : reading;
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
