import type { Engine } from './engine.ts';

/** What a variant is given in its own process. */
export interface VariantContext {
  /** How many records a run works on. */
  readonly records: number;
  /** A folder for files, the same for all variants and rounds. */
  readonly folder: string;
  /** Imports the product; peers never call it, so that their processes do not hold it. */
  engine(): Promise<Engine>;
}

/** What a run gave. */
export interface RunOutcome {
  /** Of everything that the run produced; all variants of a row must agree on it. */
  readonly checksum: number | string;
  /** Time of the run where it is not simply from call to return (worker exchange: from the first quarter on). */
  readonly elapsedMs?: number;
  /** Processor time that goes with `elapsedMs`, or that of another process which did the work. */
  readonly cpuMs?: number;
  /** Peak of resident memory of the process that did the work, where that is another one. */
  readonly peakRssMiB?: number;
  /** Other figures to show, by name with unit. */
  readonly figures?: Readonly<Record<string, number>>;
}

/** One complete run: from the records to the checksum. */
export type Run = () => Promise<RunOutcome> | RunOutcome;

/** One way to do a row's work. */
export interface Variant {
  readonly name: string;
  /** It is the product: crossings are counted, and fallbacks from fused code fail the report. */
  readonly ours?: boolean;
  /** All of it runs in the core: a stage of JavaScript fails the report. */
  readonly native?: boolean;
  /** Ten other pipelines run in its process first. */
  readonly polluted?: boolean;
  /** Each operator that can fail has the policy to leave failing records out. */
  readonly tolerant?: boolean;
  /** Not in short runs, which look at answers and not at times: another variant does the same, and this one takes minutes to build. */
  readonly fullOnly?: boolean;
  /** Part of the row's records, for peers that would take minutes. Times are compared per record. */
  readonly share?: number;
  /** Known slow forms of generated code, with the reason: `linked:<reason>`. Others fail the report. */
  readonly listedFallbacks?: readonly string[];
  /** Runs before the clock starts; the same for all variants unless a row says otherwise. */
  readonly warmups?: number;
  /** Timed runs in one process. */
  readonly samples?: number;
  /** Flags of Node for its process. */
  readonly flags?: readonly string[];
  /** Imports and builds what is needed; not timed. */
  start(context: VariantContext): Promise<Run>;
}

/** What a row must reach. */
export type Goal =
  /** Time of `ours` divided by the time of the fastest of `peers`. */
  | { readonly ours: string; readonly peers: readonly string[]; readonly atMost: number }
  /** Time of the fastest of `peers` divided by the time of `ours`. */
  | { readonly ours: string; readonly peers: readonly string[]; readonly atLeast: number }
  /** Milliseconds of a run, or a figure by its name. */
  | { readonly ours: string; readonly figure?: string; readonly atMostAbsolute: number; readonly unit: string };

/** A row of the table. */
export interface BenchCase {
  readonly row: string;
  readonly title: string;
  readonly records: number;
  readonly quickRecords: number;
  /** `record` times are nanoseconds a record; `run` times are milliseconds a run. */
  readonly per: 'record' | 'run';
  /** Processes for each variant. */
  readonly rounds?: number;
  readonly variants: readonly Variant[];
  readonly goals: readonly Goal[];
  /** Ratios to print that have no goal: [ours, peer]. */
  readonly informative?: readonly (readonly [ours: string, peer: string])[];
  /** Makes files that all variants read, and programs that they run; in the parent, not timed. */
  prepare?(context: { readonly records: number; readonly folder: string; readonly quick: boolean }): Promise<void>;
  /** Checksum for so many records, when variants work on different numbers of them. */
  oracle?(records: number): number | string;
}
