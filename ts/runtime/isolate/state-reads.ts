/** What somebody outside of the job's functions wants to read. */
export interface StateQuestion {
  readonly operator: number;
  /** Of the state. */
  readonly name: string;
  readonly key: unknown;
}

/** What one instance of the operator says: its value, that it has none for the key, or that its function has declared no such state so far. */
export type StateAnswer = { readonly kind: 'value'; readonly value: unknown } | { readonly kind: 'none' } | { readonly kind: 'undeclared'; readonly names: readonly string[] };

/** Reads keyed state of the tasks of one isolate. */
export class StateReads {
  #read: ((question: StateQuestion) => StateAnswer[]) | undefined;

  /** The tasks of the isolate are there: this is how they answer. */
  connect(read: (question: StateQuestion) => StateAnswer[]): void {
    this.#read = read;
  }

  /** The tasks are closed. */
  forget(): void {
    this.#read = undefined;
  }

  /** The answers of the instances that are here. */
  read(question: StateQuestion): StateAnswer[] {
    return this.#read?.(question) ?? [];
  }
}
