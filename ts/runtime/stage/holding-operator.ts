import type { Pushed } from './linked-node.ts';
import type { PartOwner } from '../checkpoint/part-owner.ts';
import type { StatePart } from '../checkpoint/state-part.ts';
import type { StreamTime } from './stage-times.ts';

/** Results of an operator that keeps records back, oldest first. */
export interface HeldResults {
  readonly records: readonly unknown[];
  /** Their keys, where they carry one. */
  readonly keys: readonly unknown[] | undefined;
  /** Their event times, where they have any. */
  readonly times: readonly number[] | undefined;
}

/** An operator whose results come later than the records that they are made of: a `batch` or a `mapAsync` of one task. */
export interface HoldingOperator {
  /** The linked form: takes one record, and gives results below at once where it has no room for more. */
  push(value: unknown, key: unknown): Pushed;
  /** Begins what can be begun; a promise where something has to be awaited. */
  work(): Pushed;
  /** The results that are ready. @throws SageError when the operator has failed. */
  takeResults(): HeldResults | undefined;
  /** Whether nothing may come from above before something has been finished. */
  readonly isFull: boolean;
  /** Calls that have not settled. */
  readonly inFlight: number;
  /** Whether the next `work` sends something below, beside the results. */
  readonly hasWork?: boolean;
  /** Time until there is something to do though no record comes. */
  dueInMs(nowMs: number): number | undefined;
  /** Closes what is due. */
  closeDue(nowMs: number): void;
  /** How far event time is behind the records so far: to be said below when what they become has left. */
  timeChanged(time: StreamTime): void;
  /** Called when all results that were taken have gone below: says how far event time is there, if it has come further. */
  sayTime?(): void;
  /** What it hands over at a barrier, when its results have left. */
  stateParts(owner: PartOwner): readonly StatePart[];
  /** There are no more records: closes what is open. */
  end(): void;
}
