import type { FunctionState } from './function-state.ts';

/**
 * The states of those functions of a task that records come to one by one, in the middle of generated code. Nobody tells them of the end of a
 * call, so that a function without state costs nothing; that the task is at work is told, and code of the user that runs by itself, such as
 * that of a timer, runs only when it is not.
 */
export class TaskStates {
  /** By node; nodes for further inputs of an operator have that of the first. */
  readonly #byNode: (FunctionState | undefined)[] = [];
  /** Those that are used. */
  readonly #used: FunctionState[] = [];
  #isAtWork = false;

  get isAtWork(): boolean {
    return this.#isAtWork;
  }

  add(node: number, state: FunctionState | undefined): void {
    this.#byNode[node] = state;
  }

  of(node: number): FunctionState | undefined {
    return this.#byNode[node];
  }

  /** A state has been asked for, for the first time. */
  use(state: FunctionState): void {
    this.#used.push(state);
  }

  /** Records come to functions of the task, until `leave`. */
  enter(): void {
    this.#isAtWork = true;
  }

  /** No record is on its way: no key is in hand, and memory that nothing needs any more is given back. */
  leave(): void {
    this.#isAtWork = false;
    for (const state of this.#used) state.leave();
  }
}
