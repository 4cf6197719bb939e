import type { DeadLetter } from '../../transformations/dead-letter.ts';

/** Dead letters that an operator gave for the same kind of error. */
export interface LetterGroup {
  readonly operator: string;
  /** `file:line:column` of the operator. */
  readonly declaredAt: string;
  readonly error: { readonly name: string; readonly code: string; readonly message: string };
  readonly letters: number;
  /** Epoch milliseconds of the first and the last failure. */
  readonly firstFailedAtMs: number;
  readonly lastFailedAtMs: number;
  /** The record of the first one. */
  readonly example: unknown;
}

/** What a file of dead letters holds, counted letter by letter: its size does not matter. */
export class LetterSummary {
  #letters = 0;
  readonly #groups = new Map<string, LetterGroup>();
  readonly #times = new Map<string, { firstMs: number; lastMs: number; isComplete: boolean }>();

  get letters(): number {
    return this.#letters;
  }

  /** The most frequent first. */
  get groups(): readonly LetterGroup[] {
    return [...this.#groups.values()].sort((a, b) => b.letters - a.letters);
  }

  /** Names of the operators, in the order in which they come in the file. */
  get operators(): readonly string[] {
    return [...this.#times.keys()];
  }

  /** How far apart the event times of an operator's records are; undefined when one has none. */
  spanMs(operator: string): number | undefined {
    const times = this.#times.get(operator);
    return times?.isComplete === true ? times.lastMs - times.firstMs : undefined;
  }

  add(letter: DeadLetter<unknown>): void {
    const { operator, error, failedAtMs, declaredAt } = letter;
    this.#letters++;
    const id = JSON.stringify([operator, declaredAt, error.name, error.code]);
    const group = this.#groups.get(id);
    this.#groups.set(id, {
      operator,
      declaredAt: `${declaredAt.file}:${declaredAt.line}:${declaredAt.column}`,
      error: group?.error ?? { name: error.name, code: error.code, message: error.message },
      letters: (group?.letters ?? 0) + 1,
      firstFailedAtMs: Math.min(group?.firstFailedAtMs ?? Number.POSITIVE_INFINITY, failedAtMs),
      lastFailedAtMs: Math.max(group?.lastFailedAtMs ?? Number.NEGATIVE_INFINITY, failedAtMs),
      example: group === undefined ? letter.record : group.example,
    });
    this.#addTime(operator, letter.timestamp);
  }

  #addTime(operator: string, timeMs: number | undefined): void {
    const times = this.#times.get(operator) ?? { firstMs: Number.POSITIVE_INFINITY, lastMs: Number.NEGATIVE_INFINITY, isComplete: true };
    this.#times.set(operator, times);
    if (timeMs === undefined) times.isComplete = false;
    else {
      times.firstMs = Math.min(times.firstMs, timeMs);
      times.lastMs = Math.max(times.lastMs, timeMs);
    }
  }
}

/** Counts the letters, of one operator where that is said. */
export async function summarise(letters: AsyncIterable<DeadLetter<unknown>>, operator?: string): Promise<LetterSummary> {
  const summary = new LetterSummary();
  for await (const letter of letters) if (operator === undefined || letter.operator === operator) summary.add(letter);
  return summary;
}
