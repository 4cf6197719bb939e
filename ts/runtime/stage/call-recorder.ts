import { createHash } from 'node:crypto';

import { KeyBytesWriter } from '../codec/key-bytes.ts';
import type { RecordedCall, RecordedOutcome, RecordedOutcomes } from './recorded-outcomes.ts';

/** The calls of one instance of an operator whose outcomes are recorded: which they are, and when they are let go of. */
export class CallRecorder {
  readonly #operator: string;
  readonly #outcomes: RecordedOutcomes;
  readonly #bytes = new KeyBytesWriter();
  /** By input: how many calls there were that have not been let go of, and the number of the next one. */
  readonly #equal = new Map<string, { left: number; next: number }>();
  /** Delivered since the last barrier: as it was recorded, and the input. */
  #delivered: RecordedOutcome[] = [];
  /** Delivered before a barrier whose checkpoint is not safe yet, in the order of the barriers. */
  readonly #sealed: { readonly epoch: number; readonly outcomes: readonly RecordedOutcome[] }[] = [];

  constructor(operator: string, outcomes: RecordedOutcomes) {
    this.#operator = operator;
    this.#outcomes = outcomes;
  }

  /** A call that is about to be made. @throws SageError SAGE_KEY_UNSUPPORTED for an input that has no canonical form */
  call(value: unknown, key: unknown): RecordedCall {
    this.#bytes.reset();
    this.#bytes.write(key);
    // So that no input with one key is another one with another.
    const ofKey = this.#bytes.length;
    this.#bytes.write(value);
    const input = createHash('sha256').update(`${ofKey} `).update(this.#bytes.bytes()).digest('base64url');
    const equal = this.#equal.get(input) ?? { left: 0, next: 0 };
    this.#equal.set(input, equal);
    equal.left++;
    return { operator: this.#operator, input, nth: equal.next++ };
  }

  find(call: RecordedCall): RecordedOutcome | undefined {
    return this.#outcomes.find(call);
  }

  /** Records what a call gave, and has it delivered then; whether that has to be waited for. */
  record(outcome: RecordedOutcome, deliver: () => void, failed: (error: unknown) => void): boolean {
    const recorded = (): void => {
      this.delivered(outcome);
      deliver();
    };
    let waiting: undefined | PromiseLike<void>;
    try {
      waiting = this.#outcomes.record(outcome);
    } catch (error) {
      failed(error);
      return false;
    }
    if (waiting === undefined) recorded();
    else waiting.then(recorded, failed);
    return waiting !== undefined;
  }

  /** What came of a call is on its way, or kept as a result. */
  delivered(outcome: RecordedOutcome): void {
    this.#delivered.push(outcome);
  }

  /** A call has failed for good: nothing is recorded of it. */
  gaveUp({ input }: RecordedCall): void {
    this.#letGo(input);
  }

  /** The instance has handed over what it holds. */
  passed(epoch: number): void {
    if (this.#delivered.length === 0) return;
    this.#sealed.push({ epoch, outcomes: this.#delivered });
    this.#outcomes.passed(epoch, this.#delivered.map(({ call }) => call));
    this.#delivered = [];
  }

  /** Checkpoints up to this one are safe. */
  durable(epoch: number): void {
    while ((this.#sealed[0]?.epoch ?? Number.NaN) <= epoch) for (const { call } of this.#sealed.shift()!.outcomes) this.#letGo(call.input);
    this.#outcomes.forget(epoch);
  }

  #letGo(input: string): void {
    const equal = this.#equal.get(input);
    if (equal !== undefined && --equal.left === 0) this.#equal.delete(input);
  }
}
