import type { StageNode } from '../../compiler/physical-plan.ts';
import { type BuiltinAggregator, type BuiltinAggregatorName, isBuiltinAggregator } from '../../functions/aggregator.ts';
import { isFieldPath, readOptionalField } from '../../functions/field-path.ts';
import { takesNumbers } from '../../compiler/native-aggregates.ts';
import { iteratorResult } from './iterator-result.ts';
import { Pace } from './pace.ts';
import type { StageBindings } from './stage-bindings.ts';
import type { Suspension } from './stage-control.ts';

/** Nothing when the record went all the way down at once, a promise when something below has to be awaited. */
export type Pushed = Promise<void> | undefined;

/** Whether a user function's result has to be awaited. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

type Push = (value: unknown, key: unknown) => Pushed;

/**
 * One operator as a closure that calls the operators below it. This form is the slow path of the generated functions
 * (it can wait in the middle of a row) and the only path where code generation is forbidden; it shares user
 * functions, state, writers and counters with them, so that a stage may change from one to the other between two rows.
 */
export interface LinkedNode {
  push: Push;
  /** Goes on after the promise that the node's user function gave for `value` has settled. */
  settle(result: unknown, value: unknown, key: unknown): Pushed;
  /** Gives everything in a flatMap's result to the nodes below. */
  flatten(result: unknown, value: unknown, key: unknown): Pushed;
  /** Gives a record to the nodes below. */
  emit: Push;
}

/** Links all nodes of a stage. */
export function linkNodes(bindings: StageBindings): LinkedNode[] {
  const linked: LinkedNode[] = [];
  for (const node of bindings.stage.nodes) linked[node.id] = new Linked(node, bindings, linked);
  return linked;
}

/** Finishes the row that a generated function could not. */
export async function resumeSuspended(suspension: Suspension, bindings: StageBindings): Promise<void> {
  const { linked } = bindings;
  let result: unknown;
  try {
    result = await suspension.promise;
  } catch (error) {
    throw bindings.control.rejected(error, suspension.node, suspension.value);
  }
  bindings.control.checkNotOver();
  if (suspension.node >= 0) {
    const pushed = linked[suspension.node]!.settle(result, suspension.value, suspension.key);
    if (pushed !== undefined) await pushed;
  }
  for (const pending of suspension.pending.toReversed()) {
    if (pending[0] === 'children') {
      for (const child of pending[1]) {
        const pushed = linked[child]!.push(pending[2], pending[3]);
        if (pushed !== undefined) await pushed;
      }
    } else {
      const [, node, items, from, key] = pending;
      const pace = new Pace();
      for (let n = from; n < items.length; n++) {
        if (bindings.control.stop) await bindings.room();
        else if (pace.isTurnDue()) await bindings.turn();
        bindings.emitted[node]!++;
        const pushed = linked[node]!.emit(items[n], key);
        if (pushed !== undefined) await pushed;
      }
    }
  }
}

class Linked implements LinkedNode {
  readonly push: Push;
  readonly emit: Push;
  readonly #node: StageNode;
  readonly #bindings: StageBindings;

  constructor(node: StageNode, bindings: StageBindings, linked: readonly LinkedNode[]) {
    this.#node = node;
    this.#bindings = bindings;
    this.emit = emitTo(node.children, linked);
    this.push = this.#makePush();
  }

  /** The user function as one call, with the key set where a class can read it. */
  #caller(): (value: unknown, key: unknown) => unknown {
    const { functions, contexts } = this.#bindings;
    const fn = functions[this.#node.id] as ((value: unknown) => unknown) | { execute(value: unknown): unknown };
    if (typeof fn === 'function') return (value) => fn(value);
    const context = contexts[this.#node.id];
    return (value, key) => {
      if (context !== undefined) context.key = key;
      return fn.execute(value);
    };
  }

  /** Wraps a push so that what the user's code throws or rejects carries the operator and the record. */
  #calling(call: (value: unknown, key: unknown) => unknown): Push {
    const { control } = this.#bindings;
    const id = this.#node.id;
    return (value, key) => {
      let result: unknown;
      try {
        result = call(value, key);
      } catch (error) {
        throw control.failed(error, id, [value], 0);
      }
      if (!isThenable(result)) return this.settle(result, value, key);
      return Promise.resolve(result).then(
        (settled) => {
          control.checkNotOver();
          return this.settle(settled, value, key);
        },
        (error: unknown) => {
          throw control.rejected(error, id, value);
        },
      );
    };
  }

  #makePush(): Push {
    const { op } = this.#node;
    const bindings = this.#bindings;
    const id = this.#node.id;
    switch (op.kind) {
      case 'map':
      case 'filter':
      case 'flatMap':
        return this.#calling(this.#caller());
      case 'keyBy': {
        const { selector } = op;
        if (isFieldPath(selector)) {
          return (value) => {
            const key = readOptionalField(selector, value);
            if (key === undefined) this.#guard(() => bindings.control.checkKey(id, value), value);
            return this.emit(value, key);
          };
        }
        return this.#calling(this.#caller());
      }
      case 'sink': {
        if (op.sink.form !== 'array') return this.#calling(this.#caller());
        const target = bindings.functions[id] as unknown[];
        return (value) => {
          target.push(value);
          return undefined;
        };
      }
      case 'output': {
        const writer = bindings.writers[id]!;
        return (value, key) => this.#guard(() => writer.append(value, key), value);
      }
      case 'extract': {
        const inputs = Object.values(op.spec).flatMap((aggregator, n) => (isBuiltinAggregator(aggregator) && aggregator.input !== undefined ? [{ aggregator, n }] : []));
        return (value, key) => {
          let record: unknown[] = [];
          const failed = this.#guard(() => {
            record = inputs.map(({ aggregator, n }) => this.#input(aggregator, n, value));
          }, value);
          return failed ?? this.emit(record, key);
        };
      }
      case 'reduce':
        return op.keyed ? (value, key) => bindings.keyed[id]!.push(value, key) : this.#reduce();
      case 'aggregate':
        return op.keyed ? (value, key) => bindings.keyed[id]!.push(value, key) : this.#aggregate();
      default:
        return (value) => this.emit(value, undefined);
    }
  }

  /** Runs code that may throw; what it throws is this operator's error. */
  #guard(body: () => void, record?: unknown): undefined {
    try {
      body();
    } catch (error) {
      throw this.#bindings.control.failed(error, this.#node.id, [record], 0);
    }
    return undefined;
  }

  #input(aggregator: BuiltinAggregator<never, unknown>, n: number, value: unknown): unknown {
    const input = readAggregateInput(aggregator, value);
    if (typeof input === 'number' || input === undefined || input === null || !takesNumbers(aggregator)) return input;
    return this.#bindings.control.badInput(this.#node.id, n, input, value);
  }

  #reduce(): Push {
    const { op, id } = this.#node;
    const state = this.#bindings.state[id]!;
    if (op.kind !== 'reduce') return this.emit;
    const fn = this.#bindings.functions[id] as ((a: unknown, b: unknown) => unknown) | { execute(a: unknown, b: unknown): unknown };
    const call = this.#calling((value) => {
      if (!state.has) return value;
      return typeof fn === 'function' ? fn(state.value, value) : fn.execute(state.value, value);
    });
    return call;
  }

  #aggregate(): Push {
    const { op, id } = this.#node;
    if (op.kind !== 'aggregate') return this.emit;
    const state = this.#bindings.state[id]!;
    const aggregators = Object.entries(op.spec);
    return this.#calling((value) => {
      let isAsync = false;
      this.#guard(() => {
        aggregators.forEach(([, aggregator], n) => {
          if (isBuiltinAggregator(aggregator)) {
            const needsInput = aggregator.input !== undefined;
            addBuiltin(aggregator.name, state.builtin[n]!, needsInput ? this.#input(aggregator, n, value) : undefined);
          } else {
            state.custom[n] = aggregator.add(state.custom[n], value);
            isAsync ||= isThenable(state.custom[n]);
          }
        });
      }, value);
      return isAsync ? Promise.all(state.custom) : state.custom;
    });
  }

  settle(result: unknown, value: unknown, key: unknown): Pushed {
    const { op, id } = this.#node;
    const { dropped } = this.#bindings;
    switch (op.kind) {
      case 'map':
        if (result === undefined) {
          dropped[id]!++;
          return undefined;
        }
        return this.emit(result, key);
      case 'filter':
        if (!result) {
          dropped[id]!++;
          return undefined;
        }
        return this.emit(value, key);
      case 'flatMap':
        return this.flatten(result, value, key);
      case 'keyBy':
        return this.emit(value, result);
      case 'reduce': {
        const state = this.#bindings.state[id]!;
        state.value = result;
        state.has = true;
        state.changed = typeof op.emit === 'object';
        return op.emit === 'update' ? this.emit(result, undefined) : undefined;
      }
      case 'aggregate': {
        const state = this.#bindings.state[id]!;
        // Accumulators that were awaited take the place of their promises.
        (result as readonly unknown[]).forEach((accumulator, n) => (state.custom[n] = accumulator));
        state.changed = typeof op.emit === 'object';
        if (op.emit !== 'update') return undefined;
        let running: unknown;
        this.#guard(() => {
          running = state.result();
        }, value);
        return this.emit(running, undefined);
      }
      default:
        return undefined;
    }
  }

  flatten(result: unknown, value: unknown, key: unknown): Pushed {
    const collected = this.#bindings.collected[this.#node.id];
    let source: Iterable<unknown> | AsyncIterable<unknown> = [];
    if (typeof result === 'string') source = [result];
    else if (result !== undefined && result !== null) source = this.#iterable(result, value);
    if (collected === undefined) return this.#walkAny(source, key, value);
    // A generator collects while it is walked: what it collected comes before what it yields then.
    return this.#walkAny(Symbol.iterator in source ? withCollected(source, collected) : withCollectedAsync(source, collected), key, value);
  }

  #iterable(result: unknown, value: unknown): Iterable<unknown> | AsyncIterable<unknown> {
    const candidate = result as Partial<Iterable<unknown> & AsyncIterable<unknown>>;
    if (typeof candidate[Symbol.iterator] === 'function') return result as Iterable<unknown>;
    if (typeof candidate[Symbol.asyncIterator] === 'function') return result as AsyncIterable<unknown>;
    throw this.#bindings.control.failed(
      new TypeError(`flatMap must return an iterable (or nothing); it returned ${typeof result}`),
      this.#node.id,
      [value],
      0,
    );
  }

  #walkAny(source: Iterable<unknown> | AsyncIterable<unknown>, key: unknown, value: unknown): Pushed {
    let iterator: Iterator<unknown> | AsyncIterator<unknown>;
    try {
      if (!(Symbol.iterator in source)) {
        iterator = source[Symbol.asyncIterator]();
        return this.#walkAsync(iterator, key, value);
      }
      iterator = source[Symbol.iterator]();
    } catch (error) {
      throw this.#bindings.control.threw(error, this.#node.id, value);
    }
    return this.#walk(iterator, key, value);
  }

  /** Walks an iterator as long as everything below is synchronous and there is room and time, else goes on asynchronously. */
  #walk(iterator: Iterator<unknown>, key: unknown, value: unknown): Pushed {
    const { control, emitted } = this.#bindings;
    const pace = new Pace();
    try {
      for (;;) {
        const next = this.#next(iterator, value);
        if (next.done) return undefined;
        emitted[this.#node.id]!++;
        const pushed = this.emit(next.value, key);
        if (pushed !== undefined || control.stop || pace.isTurnDue()) return this.#walkOn(iterator, key, value, pushed);
      }
    } catch (error) {
      iterator.return?.();
      throw error;
    }
  }

  async #walkOn(iterator: Iterator<unknown>, key: unknown, value: unknown, first: Pushed): Promise<void> {
    const { control, emitted } = this.#bindings;
    const pace = new Pace();
    // What is awaited here may never settle; the end of the job leaves the iterator then.
    const leave = control.whenLeft(() => iterator.return?.());
    try {
      if (first === undefined) await this.#bindings.turn();
      else await first;
      for (;;) {
        if (control.stop) await this.#bindings.room();
        else if (pace.isTurnDue()) await this.#bindings.turn();
        const next = this.#next(iterator, value);
        if (next.done) return;
        emitted[this.#node.id]!++;
        const pushed = this.emit(next.value, key);
        if (pushed !== undefined) await pushed;
        control.checkNotOver();
      }
    } catch (error) {
      leave();
      throw error;
    } finally {
      control.forget(leave);
    }
  }

  async #walkAsync(iterator: AsyncIterator<unknown>, key: unknown, value: unknown): Promise<void> {
    const { control, emitted } = this.#bindings;
    const pace = new Pace();
    const leave = control.whenLeft(() => iterator.return?.());
    try {
      for (;;) {
        if (control.stop) await this.#bindings.room();
        else if (pace.isTurnDue()) await this.#bindings.turn();
        let next: IteratorResult<unknown>;
        try {
          next = iteratorResult(await iterator.next());
        } catch (error) {
          throw control.rejected(error, this.#node.id, value);
        }
        control.checkNotOver();
        if (next.done) return;
        emitted[this.#node.id]!++;
        const pushed = this.emit(next.value, key);
        if (pushed !== undefined) await pushed;
        control.checkNotOver();
      }
    } catch (error) {
      await leave();
      throw error;
    } finally {
      control.forget(leave);
    }
  }

  #next(iterator: Iterator<unknown>, value: unknown): IteratorResult<unknown> {
    try {
      return iteratorResult(iterator.next());
    } catch (error) {
      throw this.#bindings.control.threw(error, this.#node.id, value);
    }
  }
}

function* withCollected(source: Iterable<unknown>, collected: unknown[]): Generator<unknown> {
  yield* collected.splice(0);
  for (const item of source) {
    yield* collected.splice(0);
    yield item;
  }
  yield* collected.splice(0);
}

async function* withCollectedAsync(source: AsyncIterable<unknown>, collected: unknown[]): AsyncGenerator<unknown> {
  yield* collected.splice(0);
  for await (const item of source) {
    yield* collected.splice(0);
    yield item;
  }
  yield* collected.splice(0);
}

function emitTo(children: readonly number[], linked: readonly LinkedNode[]): Push {
  if (children.length === 0) return () => undefined;
  if (children.length === 1) {
    const child = children[0]!;
    return (value, key) => linked[child]!.push(value, key);
  }
  return (value, key) => {
    for (let n = 0; n < children.length; n++) {
      const pushed = linked[children[n]!]!.push(value, key);
      if (pushed !== undefined) return emitRest(children, n + 1, linked, value, key, pushed);
    }
    return undefined;
  };
}

async function emitRest(
  children: readonly number[],
  from: number,
  linked: readonly LinkedNode[],
  value: unknown,
  key: unknown,
  first: Promise<void>,
): Promise<void> {
  await first;
  for (let n = from; n < children.length; n++) {
    const pushed = linked[children[n]!]!.push(value, key);
    if (pushed !== undefined) await pushed;
  }
}

/** Accumulator of one unkeyed built-in aggregate. */
export interface BuiltinState {
  count: number;
  value: unknown;
}

/** One input into one built-in aggregate: what `compiler/codegen/builtin-aggregate.ts` generates, as a function. */
export function addBuiltin(name: BuiltinAggregatorName, state: BuiltinState, input: unknown): void {
  if (name === 'count') {
    state.count++;
    return;
  }
  if (input === undefined || input === null) return;
  const number = input as number;
  switch (name) {
    case 'sum':
    case 'avg':
      state.value = (state.value as number) + number;
      break;
    case 'min':
      if (state.count === 0 || number < (state.value as number) || number !== number) state.value = number;
      break;
    case 'max':
      if (state.count === 0 || number > (state.value as number) || number !== number) state.value = number;
      break;
    case 'first':
      if (state.count === 0) state.value = input;
      break;
    case 'last':
      state.value = input;
      break;
  }
  state.count++;
}

/** Result of one built-in aggregate. */
export function builtinResult(name: BuiltinAggregatorName, state: BuiltinState): unknown {
  if (name === 'count') return state.count;
  if (name === 'sum') return state.value;
  if (state.count === 0) return null;
  return name === 'avg' ? (state.value as number) / state.count : state.value;
}

/** The input of an aggregator in a record; undefined where it has none. */
export function readAggregateInput(aggregator: BuiltinAggregator<never, unknown>, record: unknown): unknown {
  const { input } = aggregator;
  if (typeof input === 'function') return (input as (record: unknown) => unknown)(record);
  return input === undefined ? undefined : readOptionalField(input, record);
}
