/** Ways to do the same small thing; the first is ours. */
export interface MicroSuite {
  readonly name: string;
  /** How many records (or calls) one call of a case is. */
  readonly per: number;
  readonly cases: Readonly<Record<string, () => unknown>>;
  /** Throws when a result is wrong: each case is checked once before it is timed. */
  check(result: unknown): void;
}
