import type { SourceLocation } from '../common/source-location.ts';
import type { EnvironmentConfig } from '../transformations/environment-config.ts';

/** What the compiler must know beside the pipeline. */
export interface CompileOptions {
  /** Whether a worker thread can import the module that builds this pipeline. */
  readonly importable: boolean;
  /** Why it cannot, in words that go on after "in the main isolate:"; for explain and warnings. */
  readonly notImportableReason?: string;
  /** That there are no worker threads is what was asked for: nobody is to be warned. */
  readonly mainOnly?: boolean;
  /** Processors of this machine. */
  readonly cores: number;
  /** How many instances of each reader of the core are worth their start, by operator; one that is left away may be large. */
  readonly splits?: ReadonlyMap<number, number>;
  /** Whether the caller waits for the result, so that nobody can read a `collect()`. */
  readonly autostop?: boolean;
  /** Left away but for tests, which compare plans with each other: `false` gives each operator that can do without its neighbours a stage of its own. */
  readonly fuse?: boolean;
  /** Where the user called submit or explain; shown when there is no operator to show. */
  readonly declaredAt?: SourceLocation;
}

/** The settings of an environment that plans depend on. */
export type PlanConfig = Pick<EnvironmentConfig, 'parallelism' | 'isolated' | 'clock' | 'state' | 'checkpoint' | 'restart'>;

/** Key groups of format version 1: the unit in which keys move between instances, and so the most instances of a keyed region. */
export const KEY_GROUPS = 128;
