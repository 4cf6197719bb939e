import { SageError } from '../../common/errors.ts';
import type { BuiltinAggregator, UserAggregator } from '../../functions/aggregator.ts';
import type { AggregatingState, ListState, MapState, ReducingState, StateOptions, ValueState, ValueStateOptions } from '../../functions/state/keyed-state.ts';
import type { BroadcastParts } from '../../functions/task-context.ts';
import type { PartOwner } from '../checkpoint/part-owner.ts';
import type { StatePart } from '../checkpoint/state-part.ts';
import { ownValuePart } from '../checkpoint/value-parts.ts';
import { KeyedStateStore, type StateOwner } from './keyed-state-store.ts';
import { type SavedState, describeStates } from './saved-state.ts';

/** There is one value of each state. */
const SLOT = 0;

/** `ctx.broadcast` of one operator in one task: states as those of a key, which only the broadcast side can write to. */
export class BroadcastStore implements BroadcastParts {
  readonly #store: KeyedStateStore;
  readonly #operator: string;
  #mayWrite = false;

  constructor(owner: StateOwner) {
    this.#operator = owner.operator;
    this.#store = new KeyedStateStore({ ...owner, slotInHand: () => SLOT });
  }

  /** A call begins; what the one before has written stays. */
  begin(isBroadcast: boolean): void {
    this.#store.commit();
    this.#mayWrite = isBroadcast;
    // What has expired is not read; here it also goes.
    if (isBroadcast) this.#store.expire(1, () => undefined);
  }

  /** The call in hand has failed: nothing stays of what it has written. */
  rollback(): void {
    this.#store.rollback();
  }

  /** All instances hold the same behind a barrier: the new ones go on with what any of them had. */
  statePart(owner: PartOwner): StatePart {
    return ownValuePart<readonly SavedState[]>(owner, {
      name: 'broadcast',
      describe: describeStates,
      save: () => this.#store.save(SLOT),
      restore: ([any]) => {
        if (any !== undefined) this.#store.restore(SLOT, any.value);
      },
    });
  }

  readonly #check = (): void => {
    if (this.#mayWrite) return;
    throw new SageError('SAGE_ENV_CONTEXT', `'${this.#operator}' wrote to ctx.broadcast outside executeBroadcast()`, {
      operator: this.#operator,
      help: 'Write to it in executeBroadcast() only, which every instance calls with the same records; what belongs to a key goes to ctx.state.',
    });
  };

  value<T>(name: string, options: ValueStateOptions<T> & { readonly default: T }): ValueState<T, T>;
  value<T>(name: string, options?: StateOptions<T>): ValueState<T>;
  value<T>(name: string, options?: ValueStateOptions<T>): ValueState<T> {
    return new GuardedValue(this.#store.value<T>(name, options), this.#check);
  }

  list<T>(name: string, options?: StateOptions<T>): ListState<T> {
    return new GuardedList(this.#store.list<T>(name, options), this.#check);
  }

  map<K, V>(name: string, options?: StateOptions<V>): MapState<K, V> {
    return new GuardedMap(this.#store.map<K, V>(name, options), this.#check);
  }

  reducing<T>(name: string, fn: (total: T, value: T) => T, options?: StateOptions<T>): ReducingState<T> {
    return new GuardedTotal(this.#store.reducing(name, fn, options), this.#check);
  }

  aggregating<T, R>(name: string, aggregator: BuiltinAggregator<T, R>, options?: StateOptions): AggregatingState<T, R>;
  aggregating<T, A, R>(name: string, aggregator: UserAggregator<T, A, R>, options?: StateOptions<A>): AggregatingState<T, R>;
  aggregating<T, R>(name: string, aggregator: BuiltinAggregator<T, R> & UserAggregator<T, unknown, R>, options?: StateOptions): AggregatingState<T, R> {
    return new GuardedTotal(this.#store.aggregating<T, R>(name, aggregator, options), this.#check);
  }
}

class GuardedValue<T> implements ValueState<T> {
  readonly #state: ValueState<T>;
  readonly #check: () => void;

  constructor(state: ValueState<T>, check: () => void) {
    this.#state = state;
    this.#check = check;
  }

  get(): T | undefined {
    return this.#state.get();
  }

  set(value: T | undefined): void {
    this.#check();
    this.#state.set(value);
  }

  update(fn: (value: T | undefined) => T): T {
    this.#check();
    return this.#state.update(fn);
  }

  clear(): void {
    this.#check();
    this.#state.clear();
  }
}

class GuardedList<T> implements ListState<T> {
  readonly #state: ListState<T>;
  readonly #check: () => void;

  constructor(state: ListState<T>, check: () => void) {
    this.#state = state;
    this.#check = check;
  }

  get length(): number {
    return this.#state.length;
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#state[Symbol.iterator]();
  }

  add(element: T): void {
    this.#check();
    this.#state.add(element);
  }

  addAll(elements: Iterable<T>): void {
    this.#check();
    this.#state.addAll(elements);
  }

  clear(): void {
    this.#check();
    this.#state.clear();
  }
}

class GuardedMap<K, V> implements MapState<K, V> {
  readonly #state: MapState<K, V>;
  readonly #check: () => void;

  constructor(state: MapState<K, V>, check: () => void) {
    this.#state = state;
    this.#check = check;
  }

  get size(): number {
    return this.#state.size;
  }

  get(key: K): V | undefined {
    return this.#state.get(key);
  }

  has(key: K): boolean {
    return this.#state.has(key);
  }

  [Symbol.iterator](): Iterator<readonly [K, V]> {
    return this.#state[Symbol.iterator]();
  }

  set(key: K, value: V): void {
    this.#check();
    this.#state.set(key, value);
  }

  delete(key: K): boolean {
    this.#check();
    return this.#state.delete(key);
  }

  clear(): void {
    this.#check();
    this.#state.clear();
  }
}

/** A reducing or aggregating state. */
class GuardedTotal<T, R> {
  readonly #state: AggregatingState<T, R>;
  readonly #check: () => void;

  constructor(state: AggregatingState<T, R>, check: () => void) {
    this.#state = state;
    this.#check = check;
  }

  get(): R | undefined {
    return this.#state.get();
  }

  add(value: T): void {
    this.#check();
    this.#state.add(value);
  }

  clear(): void {
    this.#check();
    this.#state.clear();
  }
}
