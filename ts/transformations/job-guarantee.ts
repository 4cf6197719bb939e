/**
 * What the records of a job can count on when it fails and goes on from a checkpoint.
 *
 * - `exactlyOnce`: state and results are those of a run without failures
 * - `effectivelyOnce`: sinks get some records again, and overwrite what they have
 * - `atLeastOnce`: no record is lost, and some come again
 * - `none`: there are no checkpoints: a job that fails has to be run again from its beginning
 */
export type Guarantee = 'exactlyOnce' | 'effectivelyOnce' | 'atLeastOnce' | 'none';

/** A source or sink that guarantees less than exactly once. */
export interface GuaranteeLimit {
  /** Name of the operator. */
  readonly operator: string;
  /** Where it is. */
  readonly kind: 'source' | 'sink';
  /** What there is nevertheless. */
  readonly guarantee: 'effectivelyOnce' | 'atLeastOnce';
  /** In words. */
  readonly reason: string;
}

/** What a job guarantees as a whole: the least of what its sources and sinks do. */
export interface JobGuarantee {
  /** The least of all. */
  readonly level: Guarantee;
  /** Why it is not more, sources first; empty for `exactlyOnce` and `none`. */
  readonly limits: readonly GuaranteeLimit[];
}
