/** Tells the tasks of one isolate which operators have nothing left to do: nothing can become of what they would still give. */
export class EarlyEnds {
  readonly #operators = new Set<number>();
  #tasks: ((operators: ReadonlySet<number>) => void)[] = [];

  /** Has `end` called whenever there are more of these operators, and now if there are any. */
  onEnd(end: (operators: ReadonlySet<number>) => void): void {
    this.#tasks.push(end);
    if (this.#operators.size > 0) end(this.#operators);
  }

  /** The tasks are closed: an ended job stays listed, and must not hold on to them. */
  forget(): void {
    this.#tasks = [];
  }

  /** Ends operators as if they had no more records to give. */
  end(operators: readonly number[]): void {
    for (const operator of operators) this.#operators.add(operator);
    for (const end of this.#tasks) end(this.#operators);
  }
}
