import type { BenchCase, Goal } from './bench-case.ts';
import type { Summary } from './samples.ts';

/** A variant's figures: nanoseconds a record, or milliseconds a run. */
export interface VariantFigures {
  readonly name: string;
  readonly ours: boolean;
  readonly records: number;
  readonly time: Summary;
  /** Processor time of all threads, in the same unit. */
  readonly cpu: Summary;
  readonly peakRssMiB: number;
  readonly checksum: number | string;
  readonly figures: Readonly<Record<string, number>>;
  readonly crossingsPerRecord?: number;
  readonly fallbacks?: readonly string[];
}

/** A goal as measured. */
export interface Judgement {
  readonly text: string;
  /** By the least times of both sides; absolute goals by the median. */
  readonly reached: number;
  /** The same by medians, for an idea of the noise. */
  readonly byMedian: number | undefined;
  /** The same by least processor times. */
  readonly byCpu: number | undefined;
  readonly goal: string;
  readonly verdict: 'ok' | 'MISS' | 'info';
  /** Missed by more than noise explains: `--check` fails. */
  readonly failsCheck: boolean;
}

/** How far a shared machine may be off before `--check` fails. */
const CHECK_MARGIN = 1.5;

/** Judges a row. */
export function judgeGoals(benchCase: BenchCase, variants: readonly VariantFigures[]): Judgement[] {
  const byName = new Map(variants.map((variant) => [variant.name, variant]));
  const judged = benchCase.goals.flatMap((goal) => judge(goal, byName));
  for (const [ours, peer] of benchCase.informative ?? []) {
    const [a, b] = [byName.get(ours), byName.get(peer)];
    if (a === undefined || b === undefined) continue;
    const [reached, byMedian, byCpu] = [b.time.min / a.time.min, b.time.median / a.time.median, b.cpu.min / a.cpu.min];
    judged.push({ text: `${ours}: times as fast as ${peer}`, reached, byMedian, byCpu, goal: 'report', verdict: 'info', failsCheck: false });
  }
  return judged;
}

function judge(goal: Goal, byName: ReadonlyMap<string, VariantFigures>): Judgement[] {
  const ours = byName.get(goal.ours);
  if (ours === undefined) return [];
  if ('atMostAbsolute' in goal) {
    const { figure, atMostAbsolute, unit } = goal;
    // Nobody waits for the best case: only ratios, where both sides have it, go by that.
    const reached = figure === undefined ? ours.time.median : ours.figures[figure]!;
    const text = `${ours.name}${figure === undefined ? '' : `: ${figure}`}, ${unit}`;
    return [verdict(text, [reached, undefined, undefined], `<= ${atMostAbsolute}`, reached / atMostAbsolute)];
  }
  const peers = goal.peers.map((name) => byName.get(name)).filter((peer) => peer !== undefined);
  if (peers.length === 0) return [];
  const best = peers.reduce((a, b) => (a.time.min <= b.time.min ? a : b));
  const slower = 'atMost' in goal;
  const ratio = (a: number, b: number): number => (slower ? a / b : b / a);
  const reached = ratio(ours.time.min, best.time.min);
  const all = [reached, ratio(ours.time.median, best.time.median), ratio(ours.cpu.min, best.cpu.min)] as const;
  return slower
    ? [verdict(`${ours.name}: time over ${best.name}`, all, `<= ${goal.atMost}`, reached / goal.atMost)]
    : [verdict(`${ours.name}: times as fast as ${best.name}`, all, `>= ${goal.atLeast}`, goal.atLeast / reached)];
}

type Reached = readonly [byLeast: number, byMedian: number | undefined, byCpu: number | undefined];

function verdict(text: string, [reached, byMedian, byCpu]: Reached, goal: string, excess: number): Judgement {
  return { text, reached, byMedian, byCpu, goal, verdict: excess <= 1 ? 'ok' : 'MISS', failsCheck: excess > CHECK_MARGIN };
}
