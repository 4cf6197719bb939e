/** What a child process is told. */
export interface ChildSpec {
  readonly row: string;
  readonly variant: string;
  readonly records: number;
  readonly folder: string;
  /** `time`: warm-up and timed runs. `count`: one run with the core behind counters, not timed. */
  readonly mode: 'time' | 'count';
  readonly quick: boolean;
}

/** What it reports. */
export interface ChildReport {
  readonly samplesMs: readonly number[];
  readonly checksum: number | string;
  /** By the row's oracle for this number of records, if it has one. */
  readonly expected: number | string | undefined;
  readonly figures: Readonly<Record<string, number>>;
  readonly peakRssMiB: number;
}
