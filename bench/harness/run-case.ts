import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { BenchCase, Variant } from './bench-case.ts';
import type { ChildReport, ChildSpec } from './child-protocol.ts';
import { type Judgement, type VariantFigures, judgeGoals } from './judge-goals.ts';
import { summarise } from './samples.ts';
import { countCrossings, runChild } from './spawn-child.ts';

/** Settings of one run of the benchmarks. */
export interface RunSettings {
  readonly quick: boolean;
  readonly rounds: number | undefined;
  /** Only variants whose name contains this. */
  readonly variant: string | undefined;
  readonly say: (line: string) => void;
}

/** A row as measured. */
export interface RowResult {
  readonly row: string;
  readonly title: string;
  readonly records: number;
  readonly per: 'record' | 'run';
  readonly variants: readonly VariantFigures[];
  readonly judgements: readonly Judgement[];
  /** Wrong answers, fallbacks from fused code, too many crossings: these fail every run. */
  readonly faults: readonly string[];
}

const ROUNDS = 5;
const QUICK_ROUNDS = 2;
/** Calls of the core a record. */
const MOST_CROSSINGS = 0.01;

/** Measures a row: every variant once in each round, so that a noisy minute hits all of them. */
export async function runCase(benchCase: BenchCase, settings: RunSettings): Promise<RowResult> {
  const { quick, say } = settings;
  const { records, variants, specOf } = await prepareCase(benchCase, settings);
  const reports = new Map<Variant, ChildReport[]>(variants.map((variant) => [variant, []]));
  const faults: string[] = [];
  const rounds = settings.rounds ?? (quick ? QUICK_ROUNDS : (benchCase.rounds ?? ROUNDS));
  for (let round = 0; round < rounds; round++) {
    say(`${benchCase.row}: round ${round + 1} of ${rounds}`);
    // A B, then B A: what the first one warms (caches, clock rate) must not always be the second one's gain.
    for (const variant of round % 2 === 0 ? variants : variants.toReversed()) {
      try {
        reports.get(variant)!.push(await runChild(specOf(variant), variant.flags));
      } catch (error) {
        faults.push((error as Error).message);
      }
    }
  }
  const figures: VariantFigures[] = [];
  for (const variant of variants) {
    const taken = reports.get(variant)!;
    if (taken.length === 0) continue;
    const counted = variant.ours === true ? await countFor(variant, specOf(variant), faults) : {};
    figures.push({ ...sumUp(benchCase, variant, specOf(variant).records, taken), ...counted });
  }
  faults.push(...differences(benchCase, figures, reports));
  return {
    row: benchCase.row,
    title: benchCase.title,
    records,
    per: benchCase.per,
    variants: figures,
    judgements: judgeGoals(benchCase, figures),
    faults: [...new Set(faults)],
  };
}

/** Runs our variants of a row under the profiler; where the time goes, as lines. */
export async function profileCase(benchCase: BenchCase, settings: RunSettings): Promise<string[]> {
  const { variants, specOf } = await prepareCase(benchCase, settings);
  const lines: string[] = [];
  for (const variant of variants) {
    if (variant.ours !== true && settings.variant === undefined) continue;
    const { profile = [] } = await runChild({ ...specOf(variant), mode: 'profile' }, variant.flags);
    lines.push(`${benchCase.row}/${variant.name}`, ...profile);
  }
  return lines;
}

async function prepareCase(benchCase: BenchCase, { quick, variant: wanted }: RunSettings) {
  const records = quick ? benchCase.quickRecords : benchCase.records;
  const folder = join(tmpdir(), 'sage-bench');
  mkdirSync(folder, { recursive: true });
  await benchCase.prepare?.({ records, folder, quick });
  const variants = benchCase.variants.filter(({ name, fullOnly }) => (wanted === undefined || name.includes(wanted)) && !(quick && fullOnly === true));
  const specOf = (variant: Variant): ChildSpec => ({
    row: benchCase.row,
    variant: variant.name,
    records: Math.max(1, Math.round(records * (variant.share ?? 1))),
    folder,
    mode: 'time',
    quick,
  });
  return { records, variants, specOf };
}

function sumUp(benchCase: BenchCase, variant: Variant, records: number, reports: readonly ChildReport[]): VariantFigures {
  const scale = benchCase.per === 'record' ? 1e6 / records : 1;
  const figures: Record<string, number> = {};
  for (const name of Object.keys(reports[0]!.figures)) figures[name] = summarise(reports.map((report) => report.figures[name]!)).median;
  return {
    name: variant.name,
    ours: variant.ours === true,
    records,
    time: summarise(reports.flatMap((report) => report.samplesMs.map((ms) => ms * scale))),
    cpu: summarise(reports.flatMap((report) => report.samplesCpuMs.map((ms) => ms * scale))),
    peakRssMiB: Math.max(...reports.map((report) => report.peakRssMiB)),
    checksum: reports[0]!.checksum,
    figures,
  };
}

/** Crossings a record, and the forms of code that ran; faults for what is not allowed. */
async function countFor(variant: Variant, spec: ChildSpec, faults: string[]): Promise<{ crossingsPerRecord?: number; fallbacks?: readonly string[] }> {
  try {
    const { calls, segments } = await countCrossings(spec, variant.flags);
    const crossings = Object.values(calls).reduce((sum, count) => sum + count, 0);
    const crossingsPerRecord = crossings / spec.records;
    const fallbacks = [...new Set(segments.filter(({ form }) => form !== 'fused').map(({ stage, reason }) => `${stage}: ${reason ?? 'linked'}`))];
    if (spec.records >= 10_000 && crossingsPerRecord > MOST_CROSSINGS) {
      const most = Object.entries(calls).toSorted((a, b) => b[1] - a[1]).slice(0, 3);
      faults.push(`${spec.row}/${variant.name}: ${crossingsPerRecord.toFixed(4)} crossings a record, at most ${MOST_CROSSINGS} (${most.map(([name, count]) => `${name} ${count}`).join(', ')})`);
    }
    const unlisted = fallbacks.filter((fallback) => variant.listedFallbacks?.includes(fallback) !== true);
    if (unlisted.length > 0) faults.push(`${spec.row}/${variant.name} left fused code: ${unlisted.join('; ')}`);
    if (variant.native === true) {
      if (segments.length > 0) faults.push(`${spec.row}/${variant.name}: JavaScript ran in ${segments.map(({ stage }) => stage).join(', ')}`);
    } else if (segments.length === 0 && spec.records >= 10_000) faults.push(`${spec.row}/${variant.name}: no stage function was seen; is the channel sage:segment:made there?`);
    return { crossingsPerRecord, fallbacks };
  } catch (error) {
    faults.push((error as Error).message);
    return {};
  }
}

/** Variants that gave another answer than the oracle or each other. */
function differences(benchCase: BenchCase, figures: readonly VariantFigures[], reports: ReadonlyMap<Variant, readonly ChildReport[]>): string[] {
  const faults: string[] = [];
  for (const [variant, taken] of reports) {
    for (const { checksum, expected } of taken) {
      if (expected !== undefined && checksum !== expected) faults.push(`${benchCase.row}/${variant.name} gave ${checksum}, right is ${expected}`);
    }
  }
  const bySize = Map.groupBy(figures, ({ records }) => records);
  for (const same of bySize.values()) {
    const other = same.find(({ checksum }) => checksum !== same[0]!.checksum);
    if (other !== undefined) faults.push(`${benchCase.row}: ${other.name} gave ${other.checksum}, ${same[0]!.name} ${same[0]!.checksum}`);
  }
  return faults;
}
