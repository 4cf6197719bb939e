import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import type { BenchCase, Run, RunOutcome, Variant, VariantContext } from '../harness/bench-case.ts';
import { forEachLine } from './line-chunks.ts';
import type * as Pipelines from './native-windows-pipeline.ts';
import { DISORDER_MS, type Reading } from './readings.ts';
import { TumblingMaps } from './tumbling-maps.ts';
import { SIZE_MS, type WindowCount, outputChecksum, rightChecksum } from './window-counts.ts';
import { type LoopReader, WindowsLoop, buildWindowsLoop } from './windows-loop.ts';

/** So much text is written at once. */
const WRITE_CHARACTERS = 256 * 1024;

/** In what the rows of windows without JavaScript differ. */
export interface NativeWindows extends Pick<BenchCase, 'row' | 'goals' | 'informative'> {
  /** What the file that is read has in it, for the title. */
  readonly title: string;
  readonly format: Pipelines.WindowsPaths['format'];
  /** The loops in Rust, by name: each with its reader. */
  readonly loops: readonly (Pick<Variant, 'name' | 'fullOnly'> & { readonly reader: LoopReader })[];
  /** Whether a loop in JavaScript reads the file too. */
  readonly maps: boolean;
  path(folder: string, records: number): string;
  /** Writes the file unless it is there. */
  write(folder: string, records: number): Promise<void>;
}

/** How long a piece of work takes; what comes behind it, to look at what it has written, is nobody's time. */
async function timed<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly elapsedMs: number; readonly cpuMs: number }> {
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  const value = await work();
  const elapsedMs = performance.now() - startMs;
  const { user, system } = process.cpuUsage(cpu);
  return { value, elapsedMs, cpuMs: (user + system) / 1000 };
}

/** A row that reads a file, counts each key in tumbling windows of event time, and writes lines of JSON. */
export function nativeWindowsCase({ title, format, loops, maps, path, write, ...row }: NativeWindows): BenchCase {
  const outputOf = ({ folder }: VariantContext, variant: string): string => join(folder, `${row.row}-${variant}.jsonl`);

  const startSage = async (context: VariantContext): Promise<Run> => {
    const { sensorCounts }: typeof Pipelines = await import('./native-windows-pipeline.ts');
    const files = { format, path: path(context.folder, context.records), to: outputOf(context, 'sage') };
    const { stages } = await sensorCounts.explain(files, { format: 'json' });
    const others = stages.filter(({ placement, operators }) => placement !== 'native' || operators.some(({ native }) => !native));
    if (others.length > 0) throw new Error(`the chain is not native: ${others.map(({ name, reason }) => `${name} (${reason})`).join(', ')}`);
    return async () => {
      const { value, ...times } = await timed(() => sensorCounts.run(files));
      if (value.isolates !== 0) throw new Error(`the chain is not native: ${value.isolates} isolates ran JavaScript`);
      const late = value.operators.reduce((sum, { recordsLate = 0 }) => sum + recordsLate, 0);
      return { checksum: outputChecksum(files.to, context.records, late), ...times };
    };
  };

  const startMaps = async (context: VariantContext): Promise<Run> => {
    const to = outputOf(context, 'maps');
    const count = async (): Promise<number> => {
      const file = openSync(to, 'w');
      let text = '';
      const windows = new TumblingMaps(SIZE_MS, DISORDER_MS, (key, start, n) => {
        text += `${JSON.stringify({ key, window: { start, end: start + SIZE_MS }, n } satisfies WindowCount)}\n`;
        if (text.length < WRITE_CHARACTERS) return;
        writeSync(file, text);
        text = '';
      });
      await forEachLine(path(context.folder, context.records), (line) => {
        const { sensor, at } = JSON.parse(line) as Reading;
        windows.add(sensor, at);
      });
      windows.finish();
      writeSync(file, text);
      closeSync(file);
      return windows.late;
    };
    return async () => {
      const { value: late, ...times } = await timed(count);
      return { checksum: outputChecksum(to, context.records, late), ...times };
    };
  };

  const startLoop = (reader: LoopReader) => async (context: VariantContext): Promise<Run> => {
    const to = outputOf(context, `rust-${reader}`);
    const loop = new WindowsLoop({ reader, path: path(context.folder, context.records), to, sizeMs: SIZE_MS, disorderMs: DISORDER_MS });
    return async (): Promise<RunOutcome> => {
      const { late, ...times } = await loop.run();
      const peakRssMiB = loop.peakRssMiB();
      return { checksum: outputChecksum(to, context.records, late), ...times, ...(peakRssMiB === undefined ? {} : { peakRssMiB }) };
    };
  };

  return {
    ...row,
    title: `count per key in windows of 10 s, 10,000 string keys, out of order, from ${title} to JSON lines, without JavaScript`,
    records: 2_000_000,
    quickRecords: 300_000,
    per: 'record',
    async prepare({ folder, records, quick }) {
      const readers = loops.filter(({ fullOnly }) => !(quick && fullOnly === true)).map(({ reader }) => reader);
      await Promise.all([write(folder, records), buildWindowsLoop(readers)]);
    },
    oracle: rightChecksum,
    variants: [
      { name: 'sage', ours: true, native: true, start: startSage },
      ...(maps ? [{ name: 'Maps', start: startMaps }] : []),
      ...loops.map(({ reader, ...loop }) => ({ ...loop, start: startLoop(reader) })),
    ],
  };
}
