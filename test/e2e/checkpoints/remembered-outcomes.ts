import type { OutcomeRecords } from '../../../ts/runtime/job/outcome-records.ts';
import type { RecordedCall, RecordedOutcome, RecordedOutcomes } from '../../../ts/runtime/stage/recorded-outcomes.ts';

/** Outcomes in memory, for attempts and jobs of one process. */
export class RememberedOutcomes implements OutcomeRecords {
  /** With the checkpoint that has what came of it, if that has begun. */
  readonly #kept = new Map<RecordedCall, { readonly outcome: RecordedOutcome; epoch: number | undefined }>();
  /** Given instead of made again. */
  given = 0;
  recorded = 0;
  /** Awaited by each record. */
  beforeRecord: () => undefined | Promise<void> = () => undefined;

  /** How many there are. */
  get size(): number {
    return this.#kept.size;
  }

  attempt(restoredEpoch: number): RecordedOutcomes {
    this.#forget(restoredEpoch);
    for (const kept of this.#kept.values()) kept.epoch = undefined;
    const outcomes = Array.from(this.#kept.values(), ({ outcome }) => outcome);
    const left = Map.groupBy(outcomes.toSorted((a, b) => a.call.nth - b.call.nth), ({ call }) => idOf(call));
    const keep = (outcome: RecordedOutcome): void => {
      this.recorded++;
      this.#kept.set(outcome.call, { outcome, epoch: undefined });
    };
    return {
      find: (call) => {
        const found = left.get(idOf(call))?.shift();
        if (found !== undefined) this.given++;
        return found;
      },
      record: (outcome) => {
        const waiting = this.beforeRecord();
        if (waiting !== undefined) return waiting.then(() => keep(outcome));
        keep(outcome);
        return undefined;
      },
      passed: (epoch, calls) => {
        for (const call of calls) this.#kept.get(call)!.epoch = epoch;
      },
      forget: (epoch) => this.#forget(epoch),
    };
  }

  #forget(epoch: number): void {
    for (const [call, kept] of this.#kept) if ((kept.epoch ?? Number.POSITIVE_INFINITY) <= epoch) this.#kept.delete(call);
  }
}

function idOf({ operator, input }: RecordedCall): string {
  return `${operator} ${input}`;
}
