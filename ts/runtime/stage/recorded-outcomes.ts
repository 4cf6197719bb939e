/** A call of an asynchronous operator, as it is known again when its record comes once more. */
export interface RecordedCall {
  /** Id of the operator. */
  readonly operator: string;
  /** The same for the same input (and key), in each attempt and with any number of instances. */
  readonly input: string;
  /** Which one it is of the calls for equal inputs that its instance has not let go of: outcomes of equal ones are given in this order. */
  readonly nth: number;
}

/** What a call gave. */
export interface RecordedOutcome {
  /** The call that gave it. */
  readonly call: RecordedCall;
  readonly result: unknown;
}

/**
 * Outcomes of calls that outlive an attempt of a job: what was recorded is not called again when its record is read again. One is made for each
 * attempt, and used by all instances of its isolate.
 */
export interface RecordedOutcomes {
  /** Before a call is made: the outcome that an earlier attempt has recorded for an equal one, which is given once. */
  find(call: RecordedCall): RecordedOutcome | undefined;
  /** Before an outcome is delivered, which waits for the promise. Rejects when it cannot be recorded: the job fails then. */
  record(outcome: RecordedOutcome): undefined | PromiseLike<void>;
  /** What came of these calls is in this checkpoint, once that is safe. An attempt that goes on from an earlier one may make them again. */
  passed(epoch: number, calls: readonly RecordedCall[]): void;
  /** Checkpoints up to this one are safe: calls that are in them are not made again. `Infinity` at the good end of the job: nothing is. */
  forget(epoch: number): void;
}
