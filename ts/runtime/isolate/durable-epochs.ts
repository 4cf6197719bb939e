/** Tells the tasks of one isolate which checkpoints are safe on disk: what was prepared for them may be committed. */
export class DurableEpochs {
  #tasks: ((epoch: number) => void)[] = [];

  /** Has `told` called with each checkpoint that is safe, and with Infinity when the job has come to its end. */
  onDurable(told: (epoch: number) => void): void {
    this.#tasks.push(told);
  }

  /** The tasks are closed: an ended job stays listed, and must not hold on to them. */
  forget(): void {
    this.#tasks = [];
  }

  tell(epoch: number): void {
    for (const told of this.#tasks) told(epoch);
  }
}
