import type { BuiltinAggregator, UserAggregator } from '../aggregator.ts';

/** Settings of a state; `V` is what it holds: a value, an element of a list, a value of a map, or what has come of all values so far. */
export interface StateOptions<V = unknown> {
  /**
   * Milliseconds, by the clock, after which what was written is gone: counted from the last write of a value, and for each element of a
   * list and each entry of a map on its own. It is never read after that; its memory is given back a little later.
   */
  readonly ttlMs?: number;
  /**
   * Which form its values have: a whole number from 1 on, 1 when left away. It is saved with the state. Give a higher one, and `migrate`, when the form
   * changes and jobs go on from checkpoints and savepoints that were written before.
   */
  readonly version?: number;
  /**
   * Makes of a value of an older version one of this version, for each value that a job goes on with: of a list for each element, of a map for each
   * value (keys stay), of reducing and aggregating states for what has come of all values so far. It must be synchronous. A value, but for those of lists and
   * maps, of which it makes `undefined` is gone.
   *
   * @param old the value as it was saved
   * @param fromVersion the version that it was saved with, less than `version`
   */
  migrate?(old: unknown, fromVersion: number): V;
}

/** Settings of `ctx.state.value`. */
export interface ValueStateOptions<T> extends StateOptions<T> {
  /** What `get` gives while nothing is set. An object is copied each time, so that keys do not share it. */
  readonly default?: T;
}

/** One value of the key in hand. */
export interface ValueState<T, Absent = undefined> {
  /** The value, or the default. */
  get(): T | Absent;
  /** Sets it; `undefined` clears it. */
  set(value: T | undefined): void;
  /** Sets it to what `fn` makes of it; gives that. @throws SageError SAGE_USER_WRONG_TYPE for a promise. */
  update(fn: (value: T | Absent) => T): T;
  /** Forgets it. */
  clear(): void;
}

/** A list of the key in hand, in the order in which elements were added. */
export interface ListState<T> extends Iterable<T> {
  /** How many elements there are. */
  readonly length: number;
  /** Adds one at the end. */
  add(element: T): void;
  /** Adds several at the end. */
  addAll(elements: Iterable<T>): void;
  /** Forgets all. */
  clear(): void;
}

/** A map of the key in hand. Its keys are equal when they would be as keys of a stream: objects by value. */
export interface MapState<K, V> extends Iterable<readonly [K, V]> {
  /** How many entries there are. */
  readonly size: number;
  /** The value of an entry. */
  get(key: K): V | undefined;
  /** Sets an entry. With `ttlMs` it is the last one of the iteration then. @throws SageError SAGE_KEY_UNSUPPORTED */
  set(key: K, value: V): void;
  /** Whether there is an entry. */
  has(key: K): boolean;
  /** Removes an entry; whether it was there. */
  delete(key: K): boolean;
  /** Forgets all. */
  clear(): void;
}

/** What a function has made of all values of the key in hand. */
export interface ReducingState<T> {
  /** Adds a value. */
  add(value: T): void;
  /** What has come of them; `undefined` when there were none. */
  get(): T | undefined;
  /** Forgets them. */
  clear(): void;
}

/** What an aggregator has made of all records of the key in hand. */
export interface AggregatingState<T, R> {
  /** Adds a record. @throws SageError SAGE_USER_WRONG_TYPE for an input that is no number where one is needed, and for an asynchronous `add`. */
  add(record: T): void;
  /** The result; `undefined` when nothing was added. */
  get(): R | undefined;
  /** Forgets them. */
  clear(): void;
}

/**
 * What a function keeps for each key. A state is declared by asking for it by name, best in `open`; asking again for the same kind gives
 * the same state. What is read and written is that of the key in hand (`ctx.key`), while a record or a timer is worked on.
 *
 * Where the operator has an error policy, what a failed attempt has written is undone. Objects that were read and changed in place are
 * not: give `set` a new one.
 *
 * ```ts
 * class Numbered extends KeyedProcessFunction<string, string, string> {
 *   #count!: ValueState<number, number>;
 *   override open() {
 *     this.#count = this.ctx.state.value('count', { default: 0 });
 *   }
 *   execute(word: string) {
 *     this.collect(`${word} ${this.#count.update((n) => n + 1)}`);
 *   }
 * }
 * env.fromCollection(['a', 'b', 'a']).keyBy((word) => word).process(Numbered).print();
 * ```
 *
 * All of its calls throw SageError SAGE_STATE_DECLARATION for a name that stands for another kind of state or other settings, for
 * `ttlMs` that is no number above 0, for an empty name, and when a job goes on from a state of a newer version, of an older one without `migrate`, or
 * `migrate` fails.
 */
export interface KeyedState {
  /** One value with a default. */
  value<T>(name: string, options: ValueStateOptions<T> & { readonly default: T }): ValueState<T, T>;
  /** One value. */
  value<T>(name: string, options?: StateOptions<T>): ValueState<T>;
  /** A list. */
  list<T>(name: string, options?: StateOptions<T>): ListState<T>;
  /** A map. */
  map<K, V>(name: string, options?: StateOptions<V>): MapState<K, V>;
  /** All values in one, by a function such as that of `reduce`. */
  reducing<T>(name: string, fn: (total: T, value: T) => T, options?: StateOptions<T>): ReducingState<T>;
  /** All records in one, by an aggregator such as `count()` or `avg('price')`. */
  aggregating<T, R>(name: string, aggregator: BuiltinAggregator<T, R>, options?: StateOptions): AggregatingState<T, R>;
  /** All records in one, by an aggregator of your own; its `add` must be synchronous. */
  aggregating<T, A, R>(name: string, aggregator: UserAggregator<T, A, R>, options?: StateOptions<A>): AggregatingState<T, R>;
}
