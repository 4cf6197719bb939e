import { type StageNode, dropsKey } from '../../compiler/physical-plan.ts';
import { isExpressionNode } from '../../compiler/op-expressions.ts';
import { isBuiltinAggregator } from '../../functions/aggregator.ts';
import { evaluatorOf, linkExpression } from '../../functions/expressions/evaluate-expression.ts';
import { Expression } from '../../functions/expressions/expression.ts';
import { linkRecord } from '../../functions/expressions/linked-record.ts';
import { isFieldPath, readOptionalField } from '../../functions/field-path.ts';
import { givenTimestamp, recordWithin } from '../../functions/timestamped.ts';
import { emitTo } from './emit-to.ts';
import { isThenable } from './is-thenable.ts';
import { keyIdentity } from './key-identity.ts';
import { type FailureKind, Recovery, attempted } from './recovery.ts';
import { ResultWalker } from './result-walker.ts';
import { routesOf, sendToRoutes } from './routes.ts';
import type { StageBindings } from './stage-bindings.ts';
import { comesWithTime } from './stage-times.ts';
import { UnkeyedAggregate, readInput } from './unkeyed-aggregate.ts';
import { withTime } from './with-time.ts';

/** Nothing when the record went all the way down at once, a promise when something below has to be awaited. */
export type Pushed = Promise<void> | undefined;

/** Gives a record with its key to a node, or to those below one. */
export type Push = (value: unknown, key: unknown) => Pushed;

/**
 * One operator as a closure that calls the operators below it. This form is the slow path of the generated functions
 * (it can wait in the middle of a row) and the only path where code generation is forbidden; it shares user
 * functions, state, writers and counters with them, so that a stage may change from one to the other between two rows.
 */
export interface LinkedNode {
  push: Push;
  /** Goes on after the promise that the node's user function gave for `value` has settled. */
  settle(result: unknown, value: unknown, key: unknown): Pushed;
  /** Goes on after the node has failed at `value`, as its error policy says. @throws SageError when it says that the job fails. */
  recover(error: unknown, value: unknown, key: unknown, how?: FailureKind): Pushed;
  /** Gives everything in a flatMap's result to the nodes below. */
  flatten(result: unknown, value: unknown, key: unknown): Pushed;
  /** Gives what the function sent to side outputs to the nodes there. */
  sendOutputs(): Pushed;
  /** Gives a record to the nodes below. */
  emit: Push;
  readonly recovery: Recovery;
}

/** Links all nodes of a stage. */
export function linkNodes(bindings: StageBindings): LinkedNode[] {
  const linked: LinkedNode[] = [];
  for (const node of bindings.stage.nodes) linked[node.id] = new Linked(node, bindings, linked);
  return linked;
}

/** The method that takes the records of a node, of the object that has them all. */
function methodOf({ op }: StageNode, object: { execute(value: unknown, ...more: unknown[]): unknown }): (value: unknown, key: unknown) => unknown {
  const coInput = 'coInput' in op ? op.coInput : undefined;
  if (coInput === undefined) return (value) => object.execute(value);
  const { input, takes } = coInput;
  if (takes === 'records') return (value) => object.execute(value);
  if (takes === 'broadcast') return (value) => (object as unknown as { executeBroadcast(value: unknown): unknown }).executeBroadcast(value);
  if (op.kind !== 'map') return (value, key) => object.execute(value, key, input);
  const handlers = object as unknown as Readonly<Record<string, (value: unknown) => unknown>>;
  return (value) => handlers[`map${input}`]!(value);
}

class Linked implements LinkedNode {
  readonly push: Push;
  readonly emit: Push;
  readonly recovery: Recovery;
  readonly #node: StageNode;
  readonly #bindings: StageBindings;
  readonly #linked: readonly LinkedNode[];
  readonly #walker: ResultWalker;
  /** Of an aggregate over all records. */
  #aggregate: UnkeyedAggregate | undefined;
  /** Calls the user's function (or what takes its place) for a record; nothing where there is none. */
  #call: ((value: unknown, key: unknown) => unknown) | undefined;

  constructor(node: StageNode, bindings: StageBindings, linked: readonly LinkedNode[]) {
    this.#node = node;
    this.#bindings = bindings;
    this.#linked = linked;
    const emit = emitTo(node.children, linked);
    this.emit = dropsKey(node) ? (value) => emit(value, undefined) : emit;
    this.recovery = new Recovery(node, bindings, linked);
    this.#walker = new ResultWalker(node.id, bindings, this.emit, () => this.sendOutputs());
    this.push = this.#makePush();
  }

  /** The user function as one call, with the key set where a class can read it. */
  #caller(): (value: unknown, key: unknown) => unknown {
    const { functions, contexts } = this.#bindings;
    const fn = functions[this.#node.id] as ((...values: unknown[]) => unknown) | { execute(value: unknown): unknown };
    const { op } = this.#node;
    if (typeof fn === 'function') {
      if (op.kind !== 'map' || op.takesPair !== true) return (value) => fn(value);
      return (value) => fn(...(value as [unknown, unknown]));
    }
    const context = contexts[this.#node.id];
    const { control, stage } = this.#bindings;
    const takes = 'coInput' in op ? op.coInput?.takes : undefined;
    const takesTime = comesWithTime(stage, this.#node);
    const execute = methodOf(this.#node, fn);
    return (value, key) => {
      if (context !== undefined) {
        context.key = key;
        context.timestamp = takesTime ? control.time : undefined;
        if (takes !== undefined) context.broadcast!.begin(takes === 'broadcast');
      }
      return execute(value, key);
    };
  }

  /** A push that calls and goes on with the result, awaited if need be. What the call throws or rejects with is the operator's failure. */
  #calling(call: (value: unknown, key: unknown) => unknown): Push {
    this.#call = call;
    return (value, key) => {
      let result: unknown;
      try {
        result = call(value, key);
      } catch (error) {
        return this.recover(error, value, key);
      }
      if (!isThenable(result)) return this.settle(result, value, key);
      return this.#awaited(result, value, key);
    };
  }

  async #awaited(promise: PromiseLike<unknown>, value: unknown, key: unknown): Promise<void> {
    let result: unknown;
    try {
      result = await promise;
    } catch (error) {
      const recovered = this.recover(error, value, key, 'rejected');
      if (recovered !== undefined) await recovered;
      return;
    }
    this.#bindings.control.checkNotOver();
    const pushed = this.settle(result, value, key);
    if (pushed !== undefined) await pushed;
  }

  recover(error: unknown, value: unknown, key: unknown, how: FailureKind = 'threw'): Pushed {
    const keyed = this.#bindings.keyed[this.#node.id];
    if (keyed?.recover !== undefined) return keyed.recover(error, value, key);
    this.#forgetAttempt();
    // A record that fails to get a key has none, whatever key it had before.
    const known = this.#node.op.kind === 'keyBy' ? undefined : key;
    return this.recovery.recover(error, value, known, how, this.#call === undefined ? undefined : () => this.#attempt(value, key));
  }

  /** Nothing of a failed attempt goes on. */
  #forgetAttempt(): void {
    const { collected, outputs, states } = this.#bindings;
    const { id } = this.#node;
    states.of(id)?.rollback();
    this.#bindings.contexts[id]?.broadcast?.rollback();
    const own = collected[id];
    if (own !== undefined) own.length = 0;
    const sent = outputs[id];
    if (sent !== undefined) sent.length = 0;
  }

  /** One more attempt: gives how to go on with its result. */
  async #attempt(value: unknown, key: unknown): Promise<() => Pushed> {
    const { op } = this.#node;
    try {
      const result = await attempted(() => this.#call!(value, key));
      if (op.kind === 'route') routesOf(op, result);
      if (op.kind === 'keyBy') keyIdentity(result);
      if (op.kind !== 'flatMap' && op.kind !== 'process') return () => this.settle(result, value, key);
      const held = await this.#walker.gather(op.kind === 'process' ? undefined : result);
      return () => this.#giveHeld(held, key);
    } catch (error) {
      this.#forgetAttempt();
      throw error;
    }
  }

  #makePush(): Push {
    const { op } = this.#node;
    const bindings = this.#bindings;
    const id = this.#node.id;
    switch (op.kind) {
      case 'filter':
        return this.#calling(isExpressionNode(op.fn) ? linkExpression(op.fn) : this.#caller());
      case 'select':
        return this.#calling(linkRecord(op.columns, op.keepsOthers));
      case 'map':
      case 'flatMap':
      case 'process':
      case 'route':
        return this.#calling(this.#caller());
      case 'keyBy': {
        const { selector } = op;
        if (Expression.is(selector)) return this.#calling(evaluatorOf(selector));
        if (!isFieldPath(selector)) return this.#calling(this.#caller());
        return this.#calling((value) => {
          const key = readOptionalField(selector, value);
          if (key === undefined) bindings.control.checkKey(id, value);
          return key;
        });
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
        const output = bindings.timedOutputs[id];
        const { control } = bindings;
        return (value, key) => {
          if (output !== undefined && control.time! < output.waiting) output.send();
          try {
            writer.append(value, key, control.time);
          } catch (error) {
            return this.recover(error, value, key);
          }
          return undefined;
        };
      }
      case 'assignTimestamps': {
        const { selector } = op;
        const assigner = bindings.assigners[id]!;
        const { control } = bindings;
        const read = isFieldPath(selector) ? (value: unknown) => readOptionalField(selector, value) : (selector as (value: unknown, previous: number | undefined) => unknown);
        return this.#calling((value) => assigner.take(read(value, control.time)));
      }
      case 'extract': {
        const inputs = Object.values(op.spec).flatMap((aggregator, n) => (isBuiltinAggregator(aggregator) && aggregator.input !== undefined ? [{ aggregator, n }] : []));
        return this.#calling((value) => inputs.map(({ aggregator, n }) => readInput(bindings.control, id, aggregator, n, value)));
      }
      case 'reduce':
        return op.keyed ? (value, key) => bindings.keyed[id]!.push(value, key) : this.#reduce();
      case 'aggregate':
        if (op.keyed) return (value, key) => bindings.keyed[id]!.push(value, key);
        this.#aggregate = new UnkeyedAggregate(this.#node, bindings);
        return this.#calling((value) => this.#aggregate!.read(value));
      case 'window':
        return (value, key) => bindings.keyed[id]!.push(value, key);
      case 'keyedProcess': {
        const { owner, input } = op.coInput ?? { owner: id, input: 0 };
        return (value, key) => bindings.keyed[owner]!.push(value, key, input);
      }
      case 'mapAsync':
      case 'intervalJoin':
      case 'asOfJoin':
        return (value, key) => bindings.holders[id]!.push(value, key);
      case 'batch': {
        const batches = bindings.batches[id]!;
        return this.#calling((value, key) => batches.add(value, key));
      }
      case 'dedup':
      case 'sample':
      case 'limit':
      case 'fillFuture': {
        const gate = bindings.gates[id]!;
        return this.#calling((value, key) => gate.passes(value, key));
      }
      case 'zipWithIndex': {
        const index = bindings.indexes[id]!;
        return (value, key) => this.emit([value, index.next++], key);
      }
      case 'sideOutput':
        return (value, key) => {
          bindings.counts[id]!++;
          return this.emit(value, op.channel === 'branch' ? key : undefined);
        };
      default:
        return (value) => this.emit(value, undefined);
    }
  }

  #reduce(): Push {
    const { op, id } = this.#node;
    const state = this.#bindings.state[id]!;
    if (op.kind !== 'reduce') return this.emit;
    const fn = this.#bindings.functions[id] as ((a: unknown, b: unknown) => unknown) | { execute(a: unknown, b: unknown): unknown };
    return this.#calling((value) => {
      if (!state.has) return value;
      return typeof fn === 'function' ? fn(state.value, value) : fn.execute(state.value, value);
    });
  }

  settle(result: unknown, value: unknown, key: unknown): Pushed {
    const { op, id } = this.#node;
    // The result of a route or, with a policy, of a flatMap may still be a failure, of which nothing goes on.
    const isOpen = op.kind === 'route' || (op.kind === 'flatMap' && this.recovery.isTolerant);
    if (isOpen || (this.#bindings.outputs[id]?.length ?? 0) === 0) return this.#goOn(result, value, key);
    const sent = this.sendOutputs();
    return sent === undefined ? this.#goOn(result, value, key) : sent.then(() => this.#goOn(result, value, key));
  }

  #goOn(result: unknown, value: unknown, key: unknown): Pushed {
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
      case 'dedup':
      case 'sample':
      case 'limit':
      case 'fillFuture':
        if (!result) {
          dropped[id]!++;
          return undefined;
        }
        return this.emit(value, key);
      case 'flatMap':
        return this.flatten(result, value, key);
      case 'process':
        return this.flatten(undefined, value, key);
      case 'keyBy':
        return this.#withKey(result, value, key);
      case 'select':
      case 'extract':
        return this.emit(result, key);
      case 'assignTimestamps':
        return withTime(this.#bindings.control, result as number, () => this.emit(op.selector === givenTimestamp ? recordWithin(value) : value, key));
      case 'batch':
        if (result === undefined) return this.#giveClosed();
        this.#bindings.emitted[id]!++;
        return withTime(this.#bindings.control, this.#bindings.batches[id]!.time, () => this.emit(result, op.keyed ? key : undefined));
      case 'route':
        return this.#route(result, value, key);
      case 'reduce': {
        const state = this.#bindings.state[id]!;
        state.value = result;
        state.has = true;
        state.changed = typeof op.emit === 'object';
        return op.emit === 'update' ? this.emit(result, undefined) : undefined;
      }
      case 'aggregate':
        return this.#aggregated(result as readonly unknown[] | undefined, value);
      default:
        return undefined;
    }
  }

  /** Gives the batches that were closed, if there are any, to the nodes below. */
  #giveClosed(): Pushed {
    const { batches, emitted } = this.#bindings;
    const { id } = this.#node;
    const closed = batches[id]!.takeResults();
    let all: Promise<void> | undefined;
    closed?.records.forEach((records, n) => {
      const give = (): Pushed => {
        emitted[id]!++;
        return withTime(this.#bindings.control, closed.times?.[n], () => this.emit(records, closed.keys?.[n]));
      };
      all = all === undefined ? give() : all.then(give);
    });
    return all;
  }

  #aggregated(parts: readonly unknown[] | undefined, value: unknown): Pushed {
    const { op } = this.#node;
    const aggregate = this.#aggregate!;
    aggregate.add(parts, value);
    return op.kind === 'aggregate' && op.emit === 'update' ? this.emit(aggregate.running(value), undefined) : undefined;
  }

  flatten(result: unknown, value: unknown, key: unknown): Pushed {
    if (!this.recovery.isTolerant) return this.#walker.flatten(result, value, key);
    let held: readonly unknown[] | Promise<readonly unknown[]>;
    try {
      held = this.#walker.gather(result);
    } catch (error) {
      return this.recover(error, value, key);
    }
    return held instanceof Promise ? this.#awaitHeld(held, value, key) : this.#giveHeld(held, key);
  }

  async #awaitHeld(gathering: Promise<readonly unknown[]>, value: unknown, key: unknown): Promise<void> {
    let held: readonly unknown[];
    try {
      held = await gathering;
    } catch (error) {
      const recovered = this.recover(error, value, key, 'rejected');
      if (recovered !== undefined) await recovered;
      return;
    }
    const given = this.#giveHeld(held, key);
    if (given !== undefined) await given;
  }

  #giveHeld(held: readonly unknown[], key: unknown): Pushed {
    const sent = this.sendOutputs();
    if (sent !== undefined) return sent.then(() => this.#walker.give(held, key));
    return this.#walker.give(held, key);
  }

  /** With a policy a value that cannot be a key is a failure here, where the record is whole. */
  #withKey(result: unknown, value: unknown, key: unknown): Pushed {
    if (this.recovery.isTolerant) {
      try {
        keyIdentity(result);
      } catch (error) {
        return this.recover(error, value, key);
      }
    }
    return this.emit(value, result);
  }

  #route(result: unknown, value: unknown, key: unknown): Pushed {
    const { op } = this.#node;
    if (op.kind !== 'route') return undefined;
    let names: readonly string[];
    try {
      names = routesOf(op, result);
    } catch (error) {
      return this.recover(error, value, key);
    }
    const sent = this.sendOutputs();
    return sent === undefined ? this.#sendToRoutes(names, value, key) : sent.then(() => this.#sendToRoutes(names, value, key));
  }

  #sendToRoutes(names: readonly string[], value: unknown, key: unknown): Pushed {
    const sent = sendToRoutes(this.#node, this.#bindings, this.#linked, names, value, key);
    return sent === undefined ? this.emit(value, key) : sent.then(() => this.emit(value, key));
  }

  sendOutputs(): Pushed {
    const waiting = this.#bindings.outputs[this.#node.id];
    if (waiting === undefined || waiting.length === 0) return undefined;
    const records = waiting.splice(0);
    let all: Promise<void> | undefined;
    for (const { tag, record } of records) {
      for (const side of this.#node.sides) {
        if (side.channel !== 'output' || side.tag !== tag) continue;
        const linked = this.#linked[side.node]!;
        if (all === undefined) all = linked.push(record, undefined);
        else all = all.then(() => linked.push(record, undefined));
      }
    }
    return all;
  }
}
