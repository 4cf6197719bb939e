import { AssignTimestampsTransformation } from './assign-timestamps-transformation.ts';
import { givenTimestamp } from '../functions/timestamped.ts';
import type { Parallelism } from './base-transformation.ts';
import { type ErrorPolicy, outcomeOf, retriesOf } from './error-policy.ts';
import { sourceInstances } from './source-descriptor.ts';
import { SourceTransformation } from './source-transformation.ts';

/** The `assignTimestamps` of a source that was told where its records have their time: each reader has a watermark of its own. */
export class SourceTimestampsTransformation extends AssignTimestampsTransformation {
  /** One operator for the user: what is said of its parallelism is true of the source, where that can be split. */
  setSourceParallelism(parallelism: Parallelism): void {
    const [source] = this.inputs;
    if (source instanceof SourceTransformation && sourceInstances(source.source) !== 'one') source.parallelism = parallelism;
  }

  /** Whether the source gives each record together with its time: what it gives has to be taken apart where it is given, in the task of the source. */
  get readsGiven(): boolean {
    return this.selector === givenTimestamp;
  }

  /** What the source does when it fails itself: as its records, which it has none of then to put aside. */
  setSourcePolicy(policy: ErrorPolicy): void {
    const [source] = this.inputs;
    if (!this.readsGiven || !(source instanceof SourceTransformation) || !source.canFail) return;
    if (outcomeOf(policy) !== 'deadLetter') source.errorPolicy = policy;
    // oxlint-disable-next-line unicorn/no-thenable -- the name of the setting; a word is no function
    else if (typeof policy === 'object' && retriesOf(policy) > 0) source.errorPolicy = { ...policy, then: 'fail' };
  }

  /** Keeps the source in the main isolate too, where it gives records with their time. */
  setSourceInMain(): void {
    const [source] = this.inputs;
    if (this.readsGiven && source !== undefined) source.inMain = true;
  }
}
