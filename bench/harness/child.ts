/** One variant in a process of its own: pollution, warm-up, timed runs. */
import { findCase } from '../pipelines/all-cases.ts';
import type { RunOutcome, VariantContext } from './bench-case.ts';
import type { ChildReport, ChildSpec } from './child-protocol.ts';
import { importEngine } from './engine.ts';
import { pollute } from './pollution.ts';
import { tolerantEngine } from './tolerant-engine.ts';

const WARMUPS = 2;
const SAMPLES = 3;

const spec = JSON.parse(process.argv[2]!) as ChildSpec;
const benchCase = await findCase(spec.row);
const variant = benchCase.variants.find(({ name }) => name === spec.variant)!;
const context: VariantContext = {
  records: spec.records,
  folder: spec.folder,
  engine: variant.tolerant === true ? async () => tolerantEngine(await importEngine()) : importEngine,
};

/** Garbage of one run is not the next one's time. */
const collectGarbage = (globalThis as { gc?: () => void }).gc ?? ((): void => undefined);

if (variant.polluted === true) await pollute(context);
const run = await variant.start(context);
const samplesMs: number[] = [];
const samplesCpuMs: number[] = [];
let profile: readonly string[] | undefined;
let outcome: RunOutcome | undefined;
const checksums = new Set<number | string>();
const timed = async (): Promise<{ elapsedMs: number; cpuMs: number }> => {
  if (spec.mode !== 'profile') collectGarbage();
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  outcome = await run();
  const elapsedMs = performance.now() - startMs;
  const { user, system } = process.cpuUsage(cpu);
  checksums.add(outcome.checksum);
  return { elapsedMs: outcome.elapsedMs ?? elapsedMs, cpuMs: outcome.cpuMs ?? (user + system) / 1000 };
};
if (spec.mode === 'count') await timed();
else {
  for (let n = 0; n < (variant.warmups ?? WARMUPS); n++) await timed();
  const takeSamples = async (): Promise<void> => {
    for (let n = 0; n < (variant.samples ?? (spec.quick ? 2 : SAMPLES)); n++) {
      const { elapsedMs, cpuMs } = await timed();
      samplesMs.push(elapsedMs);
      samplesCpuMs.push(cpuMs);
    }
  };
  if (spec.mode === 'profile') profile = await (await import('./profile-run.ts')).profileRun(takeSamples);
  else await takeSamples();
}
if (checksums.size !== 1) throw new Error(`runs of one variant gave different results: ${[...checksums].join(', ')}`);
const report: ChildReport = {
  samplesMs,
  samplesCpuMs,
  checksum: outcome!.checksum,
  expected: benchCase.oracle?.(spec.records),
  figures: outcome!.figures ?? {},
  peakRssMiB: outcome!.peakRssMiB ?? process.resourceUsage().maxRSS / 1024,
  ...(profile === undefined ? {} : { profile }),
};
process.send!(report, undefined, {}, () => process.exit(0));
