import type { OutcomeRecords } from '../../../ts/runtime/job/outcome-records.ts';
import type { RecordedCall, RecordedOutcome, RecordedOutcomes } from '../../../ts/runtime/stage/recorded-outcomes.ts';

/** Outcomes in memory, for attempts and jobs of one process. */
export class RememberedOutcomes implements OutcomeRecords {
  readonly #kept = new Set<RecordedOutcome>();
  /** Given instead of made again. */
  given = 0;
  recorded = 0;
  /** Awaited by each record. */
  beforeRecord: () => undefined | Promise<void> = () => undefined;

  /** How many there are. */
  get size(): number {
    return this.#kept.size;
  }

  attempt(): RecordedOutcomes {
    const left = Map.groupBy([...this.#kept].toSorted((a, b) => a.call.nth - b.call.nth), ({ call }) => idOf(call));
    const keep = (outcome: RecordedOutcome): void => {
      this.recorded++;
      this.#kept.add(outcome);
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
      forget: (calls) => {
        const gone = new Set(calls);
        for (const outcome of this.#kept) if (gone.has(outcome.call)) this.#kept.delete(outcome);
      },
    };
  }
}

function idOf({ operator, input }: RecordedCall): string {
  return `${operator} ${input}`;
}
