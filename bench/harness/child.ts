/** One variant in a process of its own: pollution, warm-up, timed runs. */
import { findCase } from '../pipelines/all-cases.ts';
import type { RunOutcome, VariantContext } from './bench-case.ts';
import type { ChildReport, ChildSpec } from './child-protocol.ts';
import { importEngine } from './engine.ts';
import { pollute } from './pollution.ts';

const WARMUPS = 2;
const SAMPLES = 3;

const spec = JSON.parse(process.argv[2]!) as ChildSpec;
const benchCase = await findCase(spec.row);
const variant = benchCase.variants.find(({ name }) => name === spec.variant)!;
const context: VariantContext = { records: spec.records, folder: spec.folder, engine: importEngine };

/** Garbage of one run is not the next one's time. */
const collectGarbage = (globalThis as { gc?: () => void }).gc ?? ((): void => undefined);

if (variant.polluted === true) await pollute(context);
const run = await variant.start(context);
const samplesMs: number[] = [];
let outcome: RunOutcome | undefined;
const checksums = new Set<number | string>();
const timed = async (): Promise<number> => {
  collectGarbage();
  const startMs = performance.now();
  outcome = await run();
  const elapsedMs = performance.now() - startMs;
  checksums.add(outcome.checksum);
  return outcome.elapsedMs ?? elapsedMs;
};
if (spec.mode === 'count') await timed();
else {
  for (let n = 0; n < (variant.warmups ?? WARMUPS); n++) await timed();
  for (let n = 0; n < (variant.samples ?? (spec.quick ? 2 : SAMPLES)); n++) samplesMs.push(await timed());
}
if (checksums.size !== 1) throw new Error(`runs of one variant gave different results: ${[...checksums].join(', ')}`);
const report: ChildReport = {
  samplesMs,
  checksum: outcome!.checksum,
  expected: benchCase.oracle?.(spec.records),
  figures: outcome!.figures ?? {},
  peakRssMiB: process.resourceUsage().maxRSS / 1024,
};
process.send!(report, undefined, {}, () => process.exit(0));
