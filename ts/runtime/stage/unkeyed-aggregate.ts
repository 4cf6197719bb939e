import type { StageNode } from '../../compiler/physical-plan.ts';
import { takesNumbers } from '../../compiler/native-aggregates.ts';
import { type BuiltinAggregator, isBuiltinAggregator } from '../../functions/aggregator.ts';
import { isTolerant } from '../../transformations/error-policy.ts';
import type { AnyAggregator } from '../../transformations/aggregate-transformation.ts';
import { addBuiltin, readAggregateInput } from './builtin-state.ts';
import { checkAll, isAddedLast } from './checked-aggregators.ts';
import { isThenable } from './is-thenable.ts';
import type { StageBindings, UnkeyedState } from './stage-bindings.ts';
import type { StageControl } from './stage-control.ts';

/** What an aggregator takes of a record. @throws SageError SAGE_AGGREGATE_INPUT where it is to be a number and is none. */
export function readInput(control: StageControl, node: number, aggregator: BuiltinAggregator<never, unknown>, n: number, value: unknown): unknown {
  const input = readAggregateInput(aggregator, value);
  if (typeof input === 'number' || input === undefined || input === null || !takesNumbers(aggregator)) return input;
  return control.badInput(node, n, input, value);
}

/** An aggregate over all records, for the linked form. */
export class UnkeyedAggregate {
  readonly #node: number;
  readonly #control: StageControl;
  readonly #state: UnkeyedState;
  readonly #aggregators: readonly AnyAggregator[];
  readonly #isTolerant: boolean;
  readonly #keepsChanged: boolean;

  constructor({ id, op, operator }: StageNode, { control, state }: StageBindings) {
    if (op.kind !== 'aggregate') throw new TypeError(`operator '${op.kind}' aggregates nothing`);
    this.#node = id;
    this.#control = control;
    this.#state = state[id]!;
    this.#aggregators = Object.values(op.spec);
    this.#isTolerant = isTolerant(operator.transformation.errorPolicy);
    this.#keepsChanged = typeof op.emit === 'object';
  }

  /**
   * For each aggregator its input, or its new accumulator; a promise where one of these is. Everything that can fail is done here, so
   * that a record which fails leaves nothing behind.
   */
  read(value: unknown): unknown {
    if (this.#isTolerant) checkAll(this.#aggregators, value);
    const parts = this.#aggregators.map((aggregator, n) => {
      if (this.#isTolerant && isAddedLast(aggregator)) return undefined;
      if (!isBuiltinAggregator(aggregator)) return aggregator.add(this.#state.custom[n], value);
      return aggregator.input === undefined ? undefined : readInput(this.#control, this.#node, aggregator, n, value);
    });
    return parts.some((part, n) => !isBuiltinAggregator(this.#aggregators[n]) && isThenable(part)) ? Promise.all(parts) : parts;
  }

  /** @param parts what `read` gave; undefined when generated code has added it. */
  add(parts: readonly unknown[] | undefined, value: unknown): void {
    const state = this.#state;
    if (parts !== undefined) this.#aggregators.forEach((aggregator, n) => {
      if (isBuiltinAggregator(aggregator)) addBuiltin(aggregator.name, state.builtin[n]!, parts[n]);
      else state.custom[n] = this.#isTolerant && isAddedLast(aggregator) ? aggregator.add(state.custom[n], value) : parts[n];
    });
    state.changed = this.#keepsChanged;
  }

  /** The result so far. @throws SageError with this operator. */
  running(value: unknown): unknown {
    try {
      return this.#state.result();
    } catch (error) {
      throw this.#control.threw(error, this.#node, value);
    }
  }
}
