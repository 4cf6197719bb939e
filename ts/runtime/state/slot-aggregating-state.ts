import { SageError } from '../../common/errors.ts';
import { takesNumbers } from '../../compiler/native-aggregates.ts';
import { describeValue } from '../../functions/check-user-function.ts';
import { type BuiltinAggregator, type UserAggregator, isBuiltinAggregator } from '../../functions/aggregator.ts';
import type { AggregatingState } from '../../functions/state/keyed-state.ts';
import { type BuiltinState, addBuiltin, builtinResult, readAggregateInput } from '../stage/builtin-state.ts';
import { settledState } from './settled-state.ts';
import type { SlotState } from './slot-state.ts';
import type { SlotValueState } from './slot-value-state.ts';

/** An accumulator for each slot, with what an aggregator makes of it. */
export class SlotAggregatingState<T, R> implements AggregatingState<T, R>, SlotState {
  readonly #name: string;
  readonly #aggregator: BuiltinAggregator<T, R> | UserAggregator<T, unknown, R>;
  readonly #accumulators: SlotValueState<unknown>;

  constructor(name: string, aggregator: BuiltinAggregator<T, R> | UserAggregator<T, unknown, R>, accumulators: SlotValueState<unknown>) {
    this.#name = name;
    this.#aggregator = aggregator;
    this.#accumulators = accumulators;
  }

  add(record: T): void {
    const aggregator = this.#aggregator;
    const before = this.#accumulators.get();
    if (isBuiltinAggregator(aggregator)) {
      // A copy: an attempt that fails must leave the one before as it was.
      const state: BuiltinState = before === undefined ? { count: 0, value: 0 } : { ...(before as BuiltinState) };
      addBuiltin(aggregator.name, state, this.#input(aggregator, record));
      this.#accumulators.set(state);
      return;
    }
    const accumulator = before === undefined ? settledState(aggregator.init(), `init of the state '${this.#name}'`) : before;
    this.#accumulators.set(settledState(aggregator.add(accumulator, record), `add of the state '${this.#name}'`));
  }

  #input(aggregator: BuiltinAggregator<never, unknown>, record: unknown): unknown {
    if (aggregator.input === undefined) return undefined;
    const input = readAggregateInput(aggregator, record);
    if (typeof input === 'number' || input === undefined || input === null || !takesNumbers(aggregator)) return input;
    throw new SageError('SAGE_USER_WRONG_TYPE', `the input of '${this.#name}' (${aggregator.name}) is ${describeValue(input)}, and not a number`);
  }

  get(): R | undefined {
    const accumulator = this.#accumulators.get();
    return accumulator === undefined ? undefined : (this.#result(accumulator) as R);
  }

  #result(accumulator: unknown): unknown {
    const aggregator = this.#aggregator;
    if (isBuiltinAggregator(aggregator)) return builtinResult(aggregator.name, accumulator as BuiltinState);
    return settledState(aggregator.result(accumulator), `result of the state '${this.#name}'`);
  }

  clear(): void {
    this.#accumulators.clear();
  }

  isEmpty(slot: number): boolean {
    return this.#accumulators.isEmpty(slot);
  }

  expire(budget: number, expired: (slot: number) => void): void {
    this.#accumulators.expire(budget, expired);
  }

  snapshot(slot: number): unknown {
    const accumulator = this.#accumulators.snapshot(slot);
    return accumulator === undefined ? undefined : this.#result(accumulator);
  }

  bytes(slot: number): number {
    return this.#accumulators.bytes(slot);
  }

  save(slot: number): unknown {
    return this.#accumulators.save(slot);
  }

  restore(slot: number, saved: unknown): void {
    this.#accumulators.restore(slot, saved);
  }

  show(saved: unknown): unknown {
    const accumulator = this.#accumulators.show(saved);
    return accumulator === undefined ? undefined : this.#result(accumulator);
  }

  forget(slot: number): void {
    this.#accumulators.forget(slot);
  }
}
