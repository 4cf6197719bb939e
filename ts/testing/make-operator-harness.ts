import { SageError } from '../common/errors.ts';
import type { CoMapResults } from '../datastream/connected-streams.ts';
import type { ClassOf, Collects, Executes, Flattened, Mapped } from '../datastream/record-types.ts';
import { BaseCoMapFunction } from '../functions/base-co-map-function.ts';
import { BaseJoinFunction } from '../functions/base-join-function.ts';
import { isClass } from '../functions/class-detection.ts';
import { BroadcastProcessFunction } from '../functions/broadcast-process-function.ts';
import { FilterFunction } from '../functions/filter-function.ts';
import { FlatMapFunction } from '../functions/flat-map-function.ts';
import { KeyedBroadcastProcessFunction } from '../functions/keyed-broadcast-process-function.ts';
import { KeyedCoProcessFunction } from '../functions/keyed-co-process-function.ts';
import { KeyedProcessFunction } from '../functions/keyed-process-function.ts';
import type { OutputTag } from '../functions/output-tag.ts';
import { ProcessFunction } from '../functions/process-function.ts';
import type { ErrorPolicy } from '../transformations/error-policy.ts';
import { type OperatorKind, OperatorHarness } from './operator-harness.ts';

/** Settings of {@link operatorHarness}. */
export interface HarnessOptions<A extends readonly unknown[] = readonly unknown[]> {
  /** Arguments of the constructor, where a class is given. */
  readonly args?: A;
  /** The key of all records. Functions that need keys have `'key'` where neither this nor `keyBy` is given. */
  readonly key?: unknown;
  /** Gives the key of each record, of whichever input. */
  readonly keyBy?: (record: never) => unknown;
  /** What the clock shows at first, in epoch milliseconds; 0 when left away. */
  readonly startMs?: number;
  /** Whether records have an event time; true when left away. */
  readonly eventTime?: boolean;
  /** How many inputs a join has; 2 when left away. */
  readonly inputs?: number;
  /** Side outputs that the function gives to, for `sideOutputs`. */
  readonly sideOutputs?: readonly (string | OutputTag<unknown>)[];
  /** What happens with records at which it fails; the harness fails when left away. */
  readonly onError?: ErrorPolicy;
}

/**
 * One function with its state and timers, without a pipeline: what is pushed into it comes out as `outputs()`. It runs on the same
 * engine, in a `TestEnvironment` of its own. What it is follows from its base class; a plain function is one for `map`, unless `as`
 * says something else.
 *
 * ```ts
 * import { operatorHarness } from 'sage-kernel/testing';
 *
 * class Reminder extends KeyedProcessFunction<string, string, string> {
 *   #last!: ValueState<string>;
 *   override open() {
 *     this.#last = this.ctx.state.value('last');
 *   }
 *   execute(text: string) {
 *     this.#last.set(text);
 *     this.ctx.timers.processingTime(1_000);
 *   }
 *   override onTimer() {
 *     this.collect(`${this.ctx.key}: ${this.#last.get()}`);
 *   }
 * }
 * await using harness = operatorHarness(Reminder, { key: 'Ada' });
 * await harness.push('water the plants');
 * console.log(await harness.state('last').get(), harness.timers());
 * await harness.advanceTime(1_000);
 * console.log(harness.outputs());
 * ```
 *
 * @param operator a function, a class (with `args`), or an object of one
 * @throws SageError SAGE_PLAN_ARGUMENT for anything else
 */
export function operatorHarness<K, Ins extends readonly unknown[], Out, A extends readonly unknown[]>(operator: ClassOf<KeyedCoProcessFunction<K, Ins, Out>, A> | KeyedCoProcessFunction<K, Ins, Out>, options?: HarnessOptions<A>): OperatorHarness<Ins[number], Out>;
export function operatorHarness<K, In, Side, Out, A extends readonly unknown[]>(operator: ClassOf<KeyedBroadcastProcessFunction<K, In, Side, Out>, A> | KeyedBroadcastProcessFunction<K, In, Side, Out>, options?: HarnessOptions<A>): OperatorHarness<In | Side, Out>;
export function operatorHarness<In, Side, Out, A extends readonly unknown[]>(operator: ClassOf<BroadcastProcessFunction<In, Side, Out>, A> | BroadcastProcessFunction<In, Side, Out>, options?: HarnessOptions<A>): OperatorHarness<In | Side, Out>;
export function operatorHarness<F extends BaseCoMapFunction, A extends readonly unknown[]>(operator: ClassOf<F, A> | F, options?: HarnessOptions<A>): OperatorHarness<unknown, CoMapResults<F>>;
export function operatorHarness<In, Out, A extends readonly unknown[]>(operator: ClassOf<BaseJoinFunction<In, Out, never>, A> | BaseJoinFunction<In, Out, never>, options?: HarnessOptions<A>): OperatorHarness<In, Out>;
export function operatorHarness<In, Out, A extends readonly unknown[]>(operator: ClassOf<Collects<In, Out>, A> | Collects<In, Out>, options?: HarnessOptions<A>): OperatorHarness<In, Out>;
export function operatorHarness<In, A extends readonly unknown[]>(operator: ClassOf<Executes<In, unknown>, A> | Executes<In, unknown> | ((record: In) => unknown), options: HarnessOptions<A> & { readonly as: 'filter' }): OperatorHarness<In, In>;
export function operatorHarness<In, R>(operator: (record: In) => R, options: HarnessOptions & { readonly as: 'flatMap' }): OperatorHarness<In, Flattened<R>>;
export function operatorHarness<In, R, A extends readonly unknown[]>(operator: ClassOf<Executes<In, R>, A> | Executes<In, R>, options?: HarnessOptions<A>): OperatorHarness<In, Mapped<R>>;
export function operatorHarness<In, R>(operator: (record: In) => R, options?: HarnessOptions & { readonly as?: 'map' }): OperatorHarness<In, Mapped<R>>;
export function operatorHarness(operator: unknown, options: HarnessOptions & { readonly as?: 'map' | 'filter' | 'flatMap' } = {}): OperatorHarness<never, unknown> {
  const kind = kindOf(operator, options.as);
  return new OperatorHarness(kind, operator, options, inputsOf(kind, operator, options));
}

const KINDS: readonly (readonly [OperatorKind, abstract new (...args: never[]) => object])[] = [
  ['keyedProcess', KeyedProcessFunction],
  ['coProcess', KeyedCoProcessFunction],
  ['keyedBroadcast', KeyedBroadcastProcessFunction],
  ['broadcast', BroadcastProcessFunction],
  ['comap', BaseCoMapFunction],
  ['join', BaseJoinFunction],
  ['process', ProcessFunction],
  ['flatMap', FlatMapFunction],
  ['filter', FilterFunction],
];

function prototypeOf(operator: unknown): unknown {
  return isClass(operator) ? (operator.prototype as unknown) : operator;
}

function kindOf(operator: unknown, as: OperatorKind | undefined): OperatorKind {
  if (typeof operator !== 'function' && (typeof operator !== 'object' || operator === null)) {
    throw new SageError('SAGE_PLAN_ARGUMENT', `operatorHarness was given ${String(operator)}`, { help: 'Give a function, a function class with { args }, or an object of one.' });
  }
  const prototype = prototypeOf(operator);
  return KINDS.find(([, Base]) => prototype instanceof Base)?.[0] ?? as ?? 'map';
}

/** How many streams the function takes. */
function inputsOf(kind: OperatorKind, operator: unknown, { inputs = 2 }: HarnessOptions): number {
  switch (kind) {
    case 'comap':
      return handlersOf(operator, 'map');
    case 'coProcess':
      return handlersOf(operator, 'execute');
    case 'join':
      return inputs;
    case 'broadcast':
    case 'keyedBroadcast':
      return 2;
    default:
      return 1;
  }
}

/** How many handlers a class has, one for each of its streams: `map0`, `map1` ... */
function handlersOf(operator: unknown, prefix: 'map' | 'execute'): number {
  const methods = prototypeOf(operator) as Readonly<Record<string, unknown>>;
  let count = 0;
  while (typeof methods[`${prefix}${count}`] === 'function') count++;
  return count;
}
