import type { Run, VariantContext, BenchCase } from '../harness/bench-case.ts';
import { DISORDER_MS, type Reading, WindowsChecksum, makeReadings } from './readings.ts';

const SIZE_MS = 10_000;
const SLIDE_MS = 2_000;

/** Counts in a map for each window, with the window of the record before at hand: most records are in the same one. */
function nestedMaps(readings: readonly Reading[], give: (sensor: string, n: number) => void): void {
  const windows = new Map<number, Map<string, number>>();
  let lastStart = Number.NaN;
  let last = new Map<string, number>();
  let greatest = Number.NEGATIVE_INFINITY;
  let nextEnd = Number.POSITIVE_INFINITY;
  const fire = (watermark: number): void => {
    for (const start of [...windows.keys()].toSorted((a, b) => a - b)) {
      if (start + SIZE_MS > watermark) break;
      for (const [sensor, n] of windows.get(start)!) give(sensor, n);
      windows.delete(start);
      lastStart = Number.NaN;
    }
    nextEnd = Math.min(...windows.keys()) + SIZE_MS;
  };
  for (let i = 0; i < readings.length; i++) {
    const { sensor, at } = readings[i]!;
    const start = at - (at % SIZE_MS);
    if (start !== lastStart) {
      let found = windows.get(start);
      if (found === undefined) {
        found = new Map();
        windows.set(start, found);
        nextEnd = Math.min(nextEnd, start + SIZE_MS);
      }
      lastStart = start;
      last = found;
    }
    last.set(sensor, (last.get(sensor) ?? 0) + 1);
    if (at > greatest) {
      greatest = at;
      if (greatest - DISORDER_MS >= nextEnd) fire(greatest - DISORDER_MS);
    }
  }
  fire(Number.POSITIVE_INFINITY);
}

const startHand = async ({ records }: VariantContext): Promise<Run> => {
  const readings = makeReadings(records);
  return () => {
    const checksum = new WindowsChecksum(1);
    nestedMaps(readings, (sensor, n) => checksum.add(sensor, n));
    return { checksum: checksum.value };
  };
};

type Kind = 'tumbling' | 'sliding' | 'reduce';

const startSage = (kind: Kind) => async ({ records, engine }: VariantContext): Promise<Run> => {
  const { LocalEnvironment, count, sliding, tumbling } = await engine();
  const readings = makeReadings(records);
  return async () => {
    const checksum = new WindowsChecksum(kind === 'sliding' ? SIZE_MS / SLIDE_MS : 1);
    const env = new LocalEnvironment('windows');
    const keyed = env.fromCollection(readings).assignTimestamps('at', { outOfOrdernessMs: DISORDER_MS }).keyBy('sensor');
    if (kind === 'reduce') {
      keyed
        .window(tumbling(SIZE_MS))
        .reduce((a, b) => ({ sensor: a.sensor, at: b.at, n: a.n + b.n }))
        .sink(({ sensor, n }) => checksum.add(sensor, n));
    } else {
      keyed
        .window(kind === 'sliding' ? sliding(SIZE_MS, SLIDE_MS) : tumbling(SIZE_MS))
        .aggregate({ n: count() })
        .sink(({ key, n }) => checksum.add(key, n));
    }
    await env.submit({ autostop: true });
    return { checksum: checksum.value };
  };
};

export const benchCase: BenchCase = {
  row: 'windows',
  title: 'count per key in windows of 10 s, 10,000 string keys, out of order',
  records: 2_000_000,
  quickRecords: 500_000,
  per: 'record',
  variants: [
    { name: 'Maps', start: startHand },
    { name: 'sage', ours: true, start: startSage('tumbling') },
    { name: 'sage with error policies', ours: true, tolerant: true, start: startSage('tumbling') },
    { name: 'sage, sliding every 2 s', ours: true, start: startSage('sliding') },
    { name: 'sage, reduce in JavaScript', ours: true, start: startSage('reduce') },
  ],
  goals: [
    { ours: 'sage', peers: ['Maps'], atLeast: 2 },
    { ours: 'sage with error policies', peers: ['Maps'], atLeast: 2 },
    { ours: 'sage, sliding every 2 s', peers: ['sage'], atMost: 1.5 },
    { ours: 'sage, reduce in JavaScript', peers: ['sage'], atMost: 1.5 },
  ],
};
