/** What a child process is told. */
export interface ChildSpec {
  readonly row: string;
  readonly variant: string;
  readonly records: number;
  readonly folder: string;
  /** `time`: warm-up and timed runs. `count`: one run with the core behind counters, not timed. `profile`: the timed runs under the profiler. */
  readonly mode: 'time' | 'count' | 'profile';
  readonly quick: boolean;
}

/** What it reports. */
export interface ChildReport {
  readonly samplesMs: readonly number[];
  /** Processor time of the same runs, all threads. Beside other work on the machine it says more than the wall clock. */
  readonly samplesCpuMs: readonly number[];
  readonly checksum: number | string;
  /** By the row's oracle for this number of records, if it has one. */
  readonly expected: number | string | undefined;
  readonly figures: Readonly<Record<string, number>>;
  readonly peakRssMiB: number;
  /** Functions with the most time of their own. */
  readonly profile?: readonly string[];
}
