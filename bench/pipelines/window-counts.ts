import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { A_SECOND, DISORDER_MS, EPOCH_MS, SENSORS } from './readings.ts';
import { readingOfFile } from './straggling-readings.ts';

/** Size of the windows. */
export const SIZE_MS = 10_000;

/** A line of the output. */
export interface WindowCount {
  readonly key: string;
  readonly window: { readonly start: number; readonly end: number };
  readonly n: number;
}

/** A checksum of counts, whatever their order: each has its cell. */
class Cells {
  readonly #cells: Int32Array;
  #results = 0;
  #counted = 0;

  /** Event time of so many records, and a window in front of it: the first readings are behind the epoch. */
  constructor(records: number) {
    this.#cells = new Int32Array((Math.ceil((records * 1000) / A_SECOND / SIZE_MS) + 1) * SENSORS);
  }

  add(sensor: string, start: number, n: number): void {
    const cell = ((start - EPOCH_MS) / SIZE_MS + 1) * SENSORS + Number(sensor.slice('sensor-'.length));
    if (this.#cells[cell] === undefined) throw new Error(`a count of ${sensor} in a window from ${start}, where there is none`);
    if (this.#cells[cell] === 0) this.#results++;
    this.#cells[cell] += n;
    this.#counted += n;
  }

  checksum(late: number): string {
    const hash = createHash('sha256').update(this.#cells).digest('hex').slice(0, 12);
    return `${this.#results} counts of ${this.#counted} readings, ${late} late, ${hash}`;
  }
}

/** Of the output that a variant has written, and the number of late records that it gave. */
export function outputChecksum(path: string, records: number, late: number): string {
  const cells = new Cells(records);
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  const seen = new Set<string>();
  for (const line of lines) {
    const { key, window, n } = JSON.parse(line) as WindowCount;
    if (window.end - window.start !== SIZE_MS) throw new Error(`a window of another size: ${line}`);
    seen.add(`${key} ${window.start}`);
    cells.add(key, window.start, n);
  }
  if (seen.size !== lines.length) throw new Error(`${lines.length - seen.size} counts are there twice`);
  return cells.checksum(late);
}

/** What is right, by the definition: no file, no maps, and no window that has to be closed. */
export function rightChecksum(records: number): string {
  const cells = new Cells(records);
  let late = 0;
  let watermark = Number.NEGATIVE_INFINITY;
  for (let n = 0; n < records; n++) {
    const { sensor, at } = readingOfFile(n);
    const start = Math.floor(at / SIZE_MS) * SIZE_MS;
    if (start + SIZE_MS <= watermark) late++;
    else cells.add(sensor, start, 1);
    watermark = Math.max(watermark, at - DISORDER_MS);
  }
  return cells.checksum(late);
}
