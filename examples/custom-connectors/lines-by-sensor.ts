import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';

import { SinkFunction } from 'sage-kernel';

import type { Reading } from './random-walk.ts';

/** Writes a file for each sensor. Counts what it writes, and how far values are from zero, as metrics of its operator. */
export class LinesBySensor extends SinkFunction<Reading> {
  readonly #folder: string;
  readonly #files = new Map<number, FileHandle>();

  constructor(folder: string) {
    super();
    this.#folder = folder;
  }

  override async open(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
  }

  async execute({ sensor, tick, value }: Reading): Promise<void> {
    let file = this.#files.get(sensor);
    if (file === undefined) {
      file = await open(join(this.#folder, `sensor-${sensor}.tsv`), 'w');
      this.#files.set(sensor, file);
      this.ctx.metrics.gauge('open files').set(this.#files.size);
    }
    const { bytesWritten } = await file.write(`${tick}\t${value}\n`);
    this.ctx.metrics.counter('bytes').inc(bytesWritten);
    this.ctx.metrics.histogram('distance').record(Math.abs(value));
  }

  /** Also called when the job fails or is cancelled: no file stays open. */
  override async close(): Promise<void> {
    for (const file of this.#files.values()) await file.close();
  }
}
