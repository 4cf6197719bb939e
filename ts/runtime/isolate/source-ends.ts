/** Tells the sources of one isolate that they are to end: nothing can become of what they would still give. */
export class SourceEnds {
  readonly #ends = new Map<number, () => void>();

  /** Has `end` called when the sources of a task are to end. */
  onEnd(task: number, end: () => void): void {
    this.#ends.set(task, end);
  }

  /** Ends the sources of those of the tasks that run here. */
  end(tasks: readonly number[]): void {
    for (const task of tasks) this.#ends.get(task)?.();
  }
}
