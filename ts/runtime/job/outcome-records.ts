import type { StreamEnvironment } from '../../transformations/stream-environment.ts';
import type { RecordedOutcomes } from '../stage/recorded-outcomes.ts';

/** Keeps outcomes of calls over the attempts of a job, and over jobs. */
export interface OutcomeRecords {
  /** For a new attempt: it is given what earlier ones have recorded, but for what is in the checkpoint that it goes on from; 0 for none. */
  attempt(restoredEpoch: number): RecordedOutcomes;
}

const records = new WeakMap<StreamEnvironment, OutcomeRecords>();

/** Has the jobs of an environment record what their asynchronous calls give. They have to run in the main isolate. */
export function setOutcomeRecords(environment: StreamEnvironment, given: OutcomeRecords): void {
  records.set(environment, given);
}

/** Who keeps the outcomes of an environment's jobs, if anybody does. */
export function outcomeRecords(environment: StreamEnvironment): OutcomeRecords | undefined {
  return records.get(environment);
}
