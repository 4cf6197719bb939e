import { SageError } from '../../common/errors.ts';
import { takesNumbers } from '../../compiler/native-aggregates.ts';
import type { AggregatorSpec, StageOp } from '../../compiler/physical-plan.ts';
import type { WindowKeeper } from '../../compiler/windows.ts';
import { isBuiltinAggregator } from '../../functions/aggregator.ts';
import type { AnyAggregator } from '../../transformations/aggregate-transformation.ts';
import { type BuiltinState, addBuiltin, builtinResult, mergeBuiltin, readAggregateInput } from './builtin-state.ts';
import { isThenable } from './is-thenable.ts';
import { settledPart } from './settled-part.ts';
import { SlotColumn } from './slot-column.ts';
import type { StageBindings } from './stage-bindings.ts';

/** One window of a key. */
export interface WindowOfKey {
  readonly key: unknown;
  readonly start: number;
  readonly end: number;
}

/** What JavaScript keeps of windows, by the numbers that the core gives to panes and windows. */
export interface WindowValues {
  init(acc: number): void;
  /** Adds a record. When it throws, nothing has changed. */
  add(acc: number, record: unknown): void;
  /**
   * Adds records: `words` has pairs of row and accumulator, `count` of them from `at` on. When one throws, those before it have been
   * added, and `added` says how many these are.
   */
  addRows(words: Int32Array, at: number, count: number, records: readonly unknown[]): void;
  readonly added: number;
  /** Adds the content of `from`, which stays as it is. */
  merge(into: number, from: number): void;
  free(acc: number): void;
  /** What an accumulator holds, for a checkpoint. */
  save(acc: number): unknown;
  /** Takes in what `save` gave. */
  restore(acc: number, saved: unknown): void;
  /** Whether no record was added since `init`. */
  isEmpty(acc: number): boolean;
  /** The result of a window whose content is that of these, in the order of their time. */
  result(accs: Int32Array, window: WindowOfKey): unknown;
}

/** Reads the input of an aggregator in a record. @throws SageError SAGE_AGGREGATE_INPUT for one that is no number and has to be one. */
export type ReadInput = (aggregator: AnyAggregator, n: number, record: unknown) => unknown;

/** The value of an accumulator to which nothing was added yet. */
const NOTHING: unique symbol = Symbol('nothing');

/** Of a `reduce`: one value each. */
export class ReducedValues implements WindowValues {
  added = 0;
  readonly #values = new SlotColumn<unknown>();
  readonly #reduce: (a: unknown, b: unknown) => unknown;

  constructor(reduce: (a: unknown, b: unknown) => unknown) {
    this.#reduce = reduce;
  }

  init(acc: number): void {
    this.#values.set(acc, NOTHING);
  }

  add(acc: number, record: unknown): void {
    const before = this.#values.get(acc);
    this.#values.set(acc, before === NOTHING ? record : settled((0, this.#reduce)(before, record), 'the function of reduce'));
  }

  // The hot loop of a windowed reduce: everything that it needs is a local.
  addRows(words: Int32Array, at: number, count: number, records: readonly unknown[]): void {
    const values = this.#values;
    const reduce = this.#reduce;
    let n = 0;
    try {
      for (; n < count; n++) {
        const record = records[words[at + 2 * n]!];
        const acc = words[at + 2 * n + 1]!;
        const before = values.get(acc);
        values.set(acc, before === NOTHING ? record : settled(reduce(before, record), 'the function of reduce'));
      }
    } catch (error) {
      this.added = n;
      throw error;
    }
  }

  merge(into: number, from: number): void {
    const value = this.#values.get(from);
    if (value !== NOTHING) this.add(into, value);
  }

  free(acc: number): void {
    this.#values.set(acc, undefined);
  }

  /** Nothing but the value itself, where there is one. */
  save(acc: number): unknown {
    const value = this.#values.get(acc);
    return value === NOTHING ? [] : [value];
  }

  restore(acc: number, saved: unknown): void {
    const held = saved as readonly unknown[];
    this.#values.set(acc, held.length === 0 ? NOTHING : held[0]);
  }

  isEmpty(acc: number): boolean {
    return this.#values.get(acc) === NOTHING;
  }

  result([acc]: Int32Array): unknown {
    return this.#values.get(acc!);
  }
}

/** Of an `aggregate`: an accumulator for each aggregator. */
export class AggregatedValues implements WindowValues {
  added = 0;
  readonly #aggregators: readonly (readonly [name: string, aggregator: AnyAggregator])[];
  readonly #columns: readonly SlotColumn<unknown>[];
  readonly #filled = new SlotColumn<boolean>();
  readonly #read: ReadInput;
  readonly #keyed: boolean;

  constructor(spec: AggregatorSpec, keyed: boolean, read: ReadInput) {
    this.#aggregators = Object.entries(spec);
    this.#columns = this.#aggregators.map(() => new SlotColumn());
    this.#keyed = keyed;
    this.#read = read;
  }

  init(acc: number): void {
    this.#filled.set(acc, false);
    this.#aggregators.forEach(([name, aggregator], n) => this.#columns[n]!.set(acc, empty(name, aggregator)));
  }

  add(acc: number, record: unknown): void {
    // What can fail comes first, and built-in aggregators are changed when all is there.
    const parts = this.#aggregators.map(([name, aggregator], n) =>
      isBuiltinAggregator(aggregator) ? this.#read(aggregator, n, record) : settled(aggregator.add(this.#columns[n]!.get(acc), record), `add of the aggregator '${name}'`),
    );
    this.#aggregators.forEach(([, aggregator], n) => {
      if (isBuiltinAggregator(aggregator)) addBuiltin(aggregator.name, this.#columns[n]!.get(acc) as BuiltinState, parts[n]);
      else this.#columns[n]!.set(acc, parts[n]);
    });
    this.#filled.set(acc, true);
  }

  addRows(words: Int32Array, at: number, count: number, records: readonly unknown[]): void {
    for (this.added = 0; this.added < count; this.added++) this.add(words[at + 2 * this.added + 1]!, records[words[at + 2 * this.added]!]);
  }

  merge(into: number, from: number): void {
    this.#aggregators.forEach(([name, aggregator], n) => {
      const column = this.#columns[n]!;
      if (isBuiltinAggregator(aggregator)) mergeBuiltin(aggregator.name, column.get(into) as BuiltinState, column.get(from) as BuiltinState);
      else column.set(into, settled(aggregator.merge!(column.get(into), column.get(from)), `merge of the aggregator '${name}'`));
    });
    this.#filled.set(into, true);
  }

  free(acc: number): void {
    for (const column of this.#columns) column.set(acc, undefined);
  }

  save(acc: number): unknown {
    return this.isEmpty(acc) ? [] : this.#columns.map((column) => column.get(acc));
  }

  restore(acc: number, saved: unknown): void {
    const held = saved as readonly unknown[];
    this.init(acc);
    if (held.length === 0) return;
    this.#columns.forEach((column, n) => column.set(acc, held[n]));
    this.#filled.set(acc, true);
  }

  isEmpty(acc: number): boolean {
    return this.#filled.get(acc) !== true;
  }

  result([acc]: Int32Array, window: WindowOfKey): unknown {
    return aggregateResult(this.#aggregators, window, this.#keyed, (n) => this.#columns[n]!.get(acc!));
  }
}

/** The records themselves, in the order in which they came. */
export class ElementValues implements WindowValues {
  added = 0;
  readonly #lists = new SlotColumn<{ readonly numbers: number[]; readonly records: unknown[] } | undefined>();
  readonly #keyed: boolean;
  /** Makes a result of all records of a window; nothing when they are the result. */
  readonly #fold: ((records: readonly unknown[], window: WindowOfKey) => unknown) | undefined;
  #next = 0;

  constructor(keyed: boolean, fold?: (records: readonly unknown[], window: WindowOfKey) => unknown) {
    this.#keyed = keyed;
    this.#fold = fold;
  }

  init(acc: number): void {
    this.#lists.set(acc, { numbers: [], records: [] });
  }

  add(acc: number, record: unknown): void {
    const list = this.#lists.get(acc)!;
    list.numbers.push(this.#next++);
    list.records.push(record);
  }

  addRows(words: Int32Array, at: number, count: number, records: readonly unknown[]): void {
    for (this.added = 0; this.added < count; this.added++) this.add(words[at + 2 * this.added + 1]!, records[words[at + 2 * this.added]!]);
  }

  merge(into: number, from: number): void {
    const [list, other] = [this.#lists.get(into)!, this.#lists.get(from)!];
    const { numbers, records } = inOrder([list, other]);
    list.numbers.splice(0, list.numbers.length, ...numbers);
    list.records.splice(0, list.records.length, ...records);
  }

  free(acc: number): void {
    this.#lists.set(acc, undefined);
  }

  save(acc: number): unknown {
    const { numbers, records } = this.#lists.get(acc)!;
    return [numbers, records];
  }

  restore(acc: number, saved: unknown): void {
    const [numbers, records] = saved as [number[], unknown[]];
    this.#lists.set(acc, { numbers, records });
    // Those of other instances are of other keys.
    this.#next = Math.max(this.#next, (numbers.at(-1) ?? -1) + 1);
  }

  isEmpty(acc: number): boolean {
    return this.#lists.get(acc)!.records.length === 0;
  }

  result(accs: Int32Array, window: WindowOfKey): unknown {
    const { records } = inOrder(Array.from(accs, (acc) => this.#lists.get(acc)!));
    if (this.#fold !== undefined) return this.#fold(records, window);
    const { key, start, end } = window;
    return this.#keyed ? { key, start, end, elements: records } : { start, end, elements: records };
  }
}

/** What JavaScript keeps for the windows of an operator. */
export function makeWindowValues(op: Extract<StageOp, { kind: 'window' }>, keeper: Exclude<WindowKeeper, 'core'>, bindings: StageBindings, node: number): WindowValues {
  const { result, keyed } = op;
  if (result.kind === 'reduce') return new ReducedValues(bindings.functions[node] as (a: unknown, b: unknown) => unknown);
  if (result.kind === 'elements') return new ElementValues(keyed);
  const read: ReadInput = (aggregator, n, record) => {
    if (!isBuiltinAggregator(aggregator) || aggregator.input === undefined) return undefined;
    const input = readAggregateInput(aggregator, record);
    if (typeof input === 'number' || input === undefined || input === null || !takesNumbers(aggregator)) return input;
    return bindings.control.badInput(node, n, input, record);
  };
  return keeper === 'elements' ? new ElementValues(keyed, foldAggregate(result.spec, keyed, read)) : new AggregatedValues(result.spec, keyed, read);
}

/** Computes an aggregate over all records of a window, one by one. */
export function foldAggregate(spec: AggregatorSpec, keyed: boolean, read: ReadInput): (records: readonly unknown[], window: WindowOfKey) => unknown {
  const values = new AggregatedValues(spec, keyed, read);
  const only = Int32Array.of(0);
  return (records, window) => {
    values.init(0);
    for (const record of records) values.add(0, record);
    return values.result(only, window);
  };
}

function empty(name: string, aggregator: AnyAggregator): unknown {
  return isBuiltinAggregator(aggregator) ? { count: 0, value: 0 } : settledPart(aggregator.init(), 'init', name);
}

function aggregateResult(aggregators: readonly (readonly [string, AnyAggregator])[], { key, start, end }: WindowOfKey, keyed: boolean, partOf: (n: number) => unknown): unknown {
  const result: Record<string, unknown> = keyed ? { key, window: { start, end } } : { window: { start, end } };
  aggregators.forEach(([name, aggregator], n) => {
    result[name] = isBuiltinAggregator(aggregator) ? builtinResult(aggregator.name, partOf(n) as BuiltinState) : settledPart(aggregator.result(partOf(n)), 'result', name);
  });
  return result;
}

/** Lists of records, each in the order in which they came, as one such list: always another one. */
function inOrder(lists: readonly { readonly numbers: readonly number[]; readonly records: readonly unknown[] }[]): { numbers: number[]; records: unknown[] } {
  if (lists.length === 1) return { numbers: lists[0]!.numbers.slice(), records: lists[0]!.records.slice() };
  const all = lists.flatMap(({ numbers, records }) => numbers.map((number, n) => ({ number, record: records[n] })));
  all.sort((a, b) => a.number - b.number);
  return { numbers: all.map(({ number }) => number), records: all.map(({ record }) => record) };
}

/** @throws SageError SAGE_USER_WRONG_TYPE for a promise: nothing of a window can wait. */
function settled(value: unknown, what: string): unknown {
  if (!isThenable(value)) return value;
  Promise.resolve(value).catch(() => undefined); // the job fails for another reason
  throw new SageError('SAGE_USER_WRONG_TYPE', `${what} returned a promise, which windows cannot wait for`, {
    help: 'Await in a map before the windows, or in one of their results.',
  });
}
