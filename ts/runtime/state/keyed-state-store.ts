import { inspect } from 'node:util';

import type { Clock } from '../../common/clock.ts';
import { SageError } from '../../common/errors.ts';
import { type BuiltinAggregator, type UserAggregator, isBuiltinAggregator } from '../../functions/aggregator.ts';
import { describeValue } from '../../functions/check-user-function.ts';
import type { AggregatingState, KeyedState, ListState, MapState, ReducingState, StateOptions, ValueState, ValueStateOptions } from '../../functions/state/keyed-state.ts';
import type { SavedStatesWriter } from '../checkpoint/saved-states.ts';
import { FIRST_STATE_VERSION, migratedState, type StateVersion } from './migrated-state.ts';
import { type SavedState, withTtl } from './saved-state.ts';
import { SlotAggregatingState } from './slot-aggregating-state.ts';
import { SlotListState } from './slot-list-state.ts';
import { SlotMapState } from './slot-map-state.ts';
import { SlotReducingState } from './slot-reducing-state.ts';
import type { SlotState, StatePlace } from './slot-state.ts';
import { SlotValueState } from './slot-value-state.ts';
import type { StateWatch } from './state-watch.ts';
import { WaitingStates } from './waiting-states.ts';

/** Expired values whose memory is given back with each batch, beside twice as many as the batch has rows. */
const LEAST_EXPIRED = 64;

/** Settings of all states. */
const OPTIONS = ['ttlMs', 'version', 'migrate'] as const;

/** The settings of a state that was declared without options. */
const WITHOUT_OPTIONS = 'ttlMs: undefined';
const VALUE_WITHOUT_OPTIONS = `undefined, ${WITHOUT_OPTIONS}`;

type StateForm = 'value' | 'list' | 'map' | 'reducing' | 'aggregating';

interface Declared {
  readonly name: string;
  readonly form: StateForm;
  /** What has to be the same for it to go on from a checkpoint. */
  readonly type: string;
  readonly ttlMs: number | undefined;
  readonly version: StateVersion;
  /** What has to be the same when it is asked for again. */
  readonly settings: string;
  /** Whether it was declared without any. */
  readonly isPlain: boolean;
  readonly state: SlotState;
}

/** What the store needs of its operator. */
export interface StateOwner {
  readonly operator: string;
  readonly clock: Clock;
  /** Whether an attempt may fail without the job failing, so that its writes have to be undone. */
  readonly isTolerant: boolean;
  /** Looks up the slot of the key in hand, where `begin` does not say it; nothing when there is none. */
  slotInHand?(): number | undefined;
  /** The key that has a slot, for messages, where it is at hand; not there where states belong to no key. */
  readonly keyOf?: ((slot: number) => unknown) | undefined;
  /** With state on disk: the next state is there, and this is who wants to know what becomes of it. */
  readonly watch?: ((name: string, ttlMs: number | undefined) => StateWatch) | undefined;
}

/** The states of one operator in one task, by name. Which key they speak of is `slot`. */
export class KeyedStateStore implements KeyedState, StatePlace {
  readonly #owner: StateOwner;
  readonly #states = new Map<string, Declared>();
  /** In the order of their declaration. */
  readonly #declared: Declared[] = [];
  readonly #undo: (() => void)[] = [];
  readonly waiting: WaitingStates = new WaitingStates();
  /** Of states whose values are not here but on disk: the type that they were saved with. */
  readonly #savedTypes = new Map<string, string>();
  #slot = -1;
  #nowMs = Number.NEGATIVE_INFINITY;

  constructor(owner: StateOwner) {
    this.#owner = owner;
  }

  slot(): number {
    if (this.#slot >= 0) return this.#slot;
    const found = this.#owner.slotInHand?.();
    if (found !== undefined) return (this.#slot = found);
    throw new SageError('SAGE_ENV_CONTEXT', `'${this.#owner.operator}' used its state or timers with no key in hand`, {
      operator: this.#owner.operator,
      help: 'Declare states in open(); read and write them in execute() and onTimer(), before the promise that these give has settled.',
    });
  }

  nowMs(): number {
    return (this.#nowMs = Math.max(this.#nowMs, this.#owner.clock.now()));
  }

  get undo(): (() => void)[] | undefined {
    return this.#owner.isTolerant ? this.#undo : undefined;
  }

  /** A record or timer of this slot comes in hand. */
  begin(slot: number): void {
    this.#slot = slot;
  }

  /** What was in hand has been worked on. */
  commit(): void {
    this.#slot = -1;
    this.#undo.length = 0;
  }

  /** What was in hand has failed: nothing of it stays. */
  rollback(): void {
    this.#slot = -1;
    while (this.#undo.length > 0) this.#undo.pop()!();
  }

  /** Whether no state holds anything for a slot. */
  isEmpty(slot: number): boolean {
    for (const { state } of this.#declared) if (!state.isEmpty(slot)) return false;
    return !this.waiting.has(slot);
  }

  /** What the states hold for a slot, those too that were restored and that nobody has declared since. */
  save(slot: number): SavedState[] {
    const saved: SavedState[] = [];
    for (const declared of this.#declared) if (!declared.state.isEmpty(slot)) saved.push(savedAs(declared, declared.state.save(slot)));
    for (const waiting of this.waiting.allOf(slot)) saved.push(waiting);
    return saved;
  }

  /** As `save`, into a checkpoint. @throws NotStorable, SageError SAGE_CODEC_UNCLONEABLE */
  write(slot: number, to: SavedStatesWriter): void {
    for (const { state, name, type, ttlMs, version } of this.#declared) if (!state.isEmpty(slot)) to.put(name, type, ttlMs !== undefined, state.save(slot), version.version);
    for (const [name, type, hasTtl, saved, version = FIRST_STATE_VERSION] of this.waiting.allOf(slot)) to.put(name, type, hasTtl, saved, version);
  }

  /** Takes in for a slot what `save` gave, of states that nobody may have declared yet; `bytes` is what each has on disk. */
  restore(slot: number, saved: readonly SavedState[], bytes = 0): void {
    for (const one of saved) {
      const declared = this.#states.get(one[0]);
      if (declared === undefined) this.waiting.add(slot, one);
      else this.#take(declared, slot, one, bytes);
    }
  }

  /** What a declared state takes in of what was saved; nothing where `migrate` made nothing of it. @throws SageError SAGE_STATE_DECLARATION for another type or a wrong version */
  formOf(saved: SavedState, key: unknown): unknown {
    return this.#formOf(this.#states.get(saved[0])!, saved, key);
  }

  #formOf({ type, ttlMs, version }: Pick<Declared, 'type' | 'ttlMs' | 'version'>, saved: SavedState, key: unknown): unknown {
    this.#checkType(saved[0], type, saved[1]);
    const migrated = migratedState(saved, version, { operator: this.#owner.operator, key: key === undefined ? undefined : { value: key } });
    return migrated[3] === undefined ? undefined : withTtl(migrated, ttlMs, this.nowMs());
  }

  #take(declared: Declared, slot: number, saved: SavedState, bytes: number): void {
    const form = this.#formOf(declared, saved, this.#owner.keyOf?.(slot));
    // What `migrate` has made nothing of is not there any more.
    if (form !== undefined) declared.state.restore(slot, form, bytes);
  }

  #checkType(name: string, type: string, savedType: string): void {
    if (savedType === type) return;
    throw this.#wrong(name, `the state '${name}' of '${this.#owner.operator}' is ${type}, and in the checkpoint that the job goes on from it is ${savedType}`, `Declare it as ${savedType}, or give the new state another name.`);
  }

  /** A value of a declared state, as `SlotState.save` gives it, for a checkpoint. */
  savedAs(name: string, value: unknown): SavedState {
    return savedAs(this.#states.get(name)!, value);
  }

  /** States are restored whose values are elsewhere. */
  expect(name: string, type: string): void {
    this.#savedTypes.set(name, type);
  }

  /** Gives memory back of what has expired: so much that it keeps up with batches of these rows. */
  expire(rows: number, expired: (slot: number) => void): void {
    for (const { state } of this.#declared) state.expire(LEAST_EXPIRED + 2 * rows, expired);
  }

  /** A state by name, for readers outside of the job's functions. */
  named(name: string): SlotState | undefined {
    return this.#states.get(name)?.state;
  }

  get names(): readonly string[] {
    return [...this.#states.keys()];
  }

  value<T>(name: string, options: ValueStateOptions<T> & { readonly default: T }): ValueState<T, T>;
  value<T>(name: string, options?: StateOptions<T>): ValueState<T>;
  value<T>(name: string, options?: ValueStateOptions<T>): ValueState<T> {
    const known = this.#asBefore('value', name, options);
    if (known !== undefined) return known as SlotState & ValueState<T>;
    const { ttlMs, version } = this.#options(name, options, [...OPTIONS, 'default']);
    return this.#declare('value', 'value', name, ttlMs, version, `${inspect(options?.default)}, ttlMs: ${ttlMs}`, (watch) => new SlotValueState<T>(this, ttlMs, watch, options?.default));
  }

  list<T>(name: string, options?: StateOptions<T>): ListState<T> {
    const known = this.#asBefore('list', name, options);
    if (known !== undefined) return known as SlotState & ListState<T>;
    const { ttlMs, version } = this.#options(name, options);
    return this.#declare('list', 'list', name, ttlMs, version, `ttlMs: ${ttlMs}`, (watch) => new SlotListState<T>(this, ttlMs, watch));
  }

  map<K, V>(name: string, options?: StateOptions<V>): MapState<K, V> {
    const known = this.#asBefore('map', name, options);
    if (known !== undefined) return known as SlotState & MapState<K, V>;
    const { ttlMs, version } = this.#options(name, options);
    return this.#declare('map', 'map', name, ttlMs, version, `ttlMs: ${ttlMs}`, (watch) => new SlotMapState<K, V>(this, ttlMs, watch));
  }

  reducing<T>(name: string, fn: (total: T, value: T) => T, options?: StateOptions<T>): ReducingState<T> {
    if (typeof fn !== 'function') throw this.#wrong(name, `the function of the reducing state '${name}' is ${describeValue(fn)}`, "Write state.reducing('total', (a, b) => a + b).");
    const { ttlMs, version } = this.#options(name, options);
    return this.#declare('reducing', 'reducing', name, ttlMs, version, `ttlMs: ${ttlMs}`, (watch) => new SlotReducingState<T>(name, fn, new SlotValueState<T>(this, ttlMs, watch)));
  }

  aggregating<T, R>(name: string, aggregator: BuiltinAggregator<T, R>, options?: StateOptions): AggregatingState<T, R>;
  aggregating<T, A, R>(name: string, aggregator: UserAggregator<T, A, R>, options?: StateOptions<A>): AggregatingState<T, R>;
  aggregating<T, R>(name: string, aggregator: BuiltinAggregator<T, R> | UserAggregator<T, unknown, R>, options?: StateOptions): AggregatingState<T, R> {
    const isAggregator = typeof aggregator === 'object' && aggregator !== null && ('kind' in aggregator || typeof aggregator.add === 'function');
    if (!isAggregator) throw this.#wrong(name, `the aggregator of the state '${name}' is ${describeValue(aggregator)}`, "Write state.aggregating('mean', avg('price')).");
    const { ttlMs, version } = this.#options(name, options);
    // Accumulators of built-in aggregators look alike.
    const type = isBuiltinAggregator(aggregator) ? `aggregating with ${aggregator.name}` : 'aggregating';
    return this.#declare('aggregating', type, name, ttlMs, version, `ttlMs: ${ttlMs}`, (watch) => new SlotAggregatingState<T, R>(name, aggregator, new SlotValueState<unknown>(this, ttlMs, watch)));
  }

  /** A state that was declared without options, and is asked for without: functions do that for each record. */
  #asBefore(form: StateForm, name: string, options: StateOptions | undefined): SlotState | undefined {
    if (options !== undefined) return undefined;
    const declared = this.#states.get(name);
    return declared?.form === form && declared.isPlain ? declared.state : undefined;
  }

  #declare<S extends SlotState>(form: StateForm, type: string, name: string, ttlMs: number | undefined, version: StateVersion, otherSettings: string, make: (watch: StateWatch | undefined) => S): S {
    const settings = version.version === FIRST_STATE_VERSION ? otherSettings : `${otherSettings}, version: ${version.version}`;
    const before = this.#states.get(name);
    if (before === undefined) {
      this.#checkType(name, type, this.#savedTypes.get(name) ?? type);
      // First of all: when something of it does not fit, nobody is told of the state, and the next declaration finds all of it.
      const forms = Array.from(this.waiting.named(name), ([slot, saved]) => [slot, this.#formOf({ type, ttlMs, version }, saved, this.#owner.keyOf?.(slot))] as const);
      const state = make(this.#owner.watch?.(name, ttlMs));
      const declared: Declared = { name, form, type, ttlMs, version, settings, isPlain: settings === WITHOUT_OPTIONS || settings === VALUE_WITHOUT_OPTIONS, state };
      for (const [slot, restored] of forms) if (restored !== undefined) state.restore(slot, restored, 0);
      this.waiting.declared(name);
      this.#states.set(name, declared);
      this.#declared.push(declared);
      return state;
    }
    if (before.form === form && before.settings === settings) return before.state as S;
    const what = before.form === form ? `with other settings: ${before.settings}, and not ${settings}` : `as ${before.form}, and not as ${form}`;
    throw this.#wrong(name, `the state '${name}' is there already ${what}`, 'Give one of the two another name, or declare it once, in open().');
  }

  #options(name: string, options: StateOptions | undefined, known: readonly string[] = OPTIONS): { readonly ttlMs: number | undefined; readonly version: StateVersion } {
    if (typeof name !== 'string' || name === '') throw this.#wrong(String(name), `the name of a state is ${describeValue(name)}`, "Give it a name: state.value('count').");
    if (options === undefined) return { ttlMs: undefined, version: { version: FIRST_STATE_VERSION, migrate: undefined } };
    if (typeof options !== 'object' || options === null) throw this.#wrong(name, `the options of the state '${name}' are ${describeValue(options)}`, 'Write { ttlMs: 60_000 }.');
    const unknown = Object.keys(options).find((option) => !known.includes(option));
    if (unknown !== undefined) throw this.#wrong(name, `the state '${name}' has no option '${unknown}'`, `Its options are ${known.join(', ')}.`);
    const { ttlMs } = options;
    if (ttlMs === undefined || (typeof ttlMs === 'number' && ttlMs > 0 && Number.isFinite(ttlMs))) return { ttlMs, version: this.#version(name, options) };
    throw this.#wrong(name, `ttlMs of the state '${name}' is ${describeValue(ttlMs)}, and not a number of milliseconds above 0`, 'Write { ttlMs: 60_000 }, or leave it away.');
  }

  #version(name: string, options: StateOptions): StateVersion {
    const { version = FIRST_STATE_VERSION } = options;
    if (!Number.isSafeInteger(version) || version < FIRST_STATE_VERSION) {
      throw this.#wrong(name, `version of the state '${name}' is ${describeValue(version)}, and not a whole number from 1 on`, 'Write { version: 2, migrate: (old, fromVersion) => ... }; without a version it is 1.');
    }
    if (options.migrate === undefined) return { version, migrate: undefined };
    if (typeof options.migrate !== 'function') throw this.#wrong(name, `migrate of the state '${name}' is ${describeValue(options.migrate)}`, 'Write migrate: (old, fromVersion) => ..., which gives the value in its new form.');
    if (version === FIRST_STATE_VERSION) throw this.#wrong(name, `the state '${name}' has migrate and version 1, before which there is none`, 'Write { version: 2, migrate }: states that were saved without a version have version 1.');
    return { version, migrate: (old, fromVersion) => options.migrate!(old, fromVersion) };
  }

  #wrong(state: string, message: string, help: string): SageError {
    return new SageError('SAGE_STATE_DECLARATION', message, { operator: this.#owner.operator, help, context: { state } });
  }
}

function savedAs({ name, type, ttlMs, version: { version } }: Declared, value: unknown): SavedState {
  return version === FIRST_STATE_VERSION ? [name, type, ttlMs !== undefined, value] : [name, type, ttlMs !== undefined, value, version];
}
