import { planError } from '../common/errors.ts';
import type { Duration } from '../common/duration.ts';
import type { SourceLocation } from '../common/source-location.ts';
import { describeValue } from '../functions/check-user-function.ts';
import { isClass } from '../functions/class-detection.ts';
import { type Windows, checkDuration } from '../functions/windows/windows.ts';
import type { BaseTransformation } from '../transformations/base-transformation.ts';
import type { AsOfJoinSettings } from '../transformations/as-of-join-transformation.ts';
import type { IntervalJoinSettings } from '../transformations/interval-join-transformation.ts';
import type { JoinType } from '../transformations/join-type.ts';
import type { WindowSettings } from '../transformations/window-transformation.ts';
import type { TableOptions } from './keyed-table.ts';
import { checkKeyedState, checkOptions } from './plan-checks.ts';
import { type TimeWindow, toWindowSettings } from './window-arguments.ts';

const TYPES: readonly unknown[] = ['inner', 'left', 'right', 'full'] satisfies readonly JoinType[];

/** A join of the records of a key that are in the same window. */
export interface WindowJoinOptions<Type extends JoinType = 'inner'> {
  /** As `window` takes it: `tumbling('10s')`, `session('30s')`, `{ timeWindow: 60 }` ... */
  readonly window: Windows | TimeWindow;
  /** Which records are given though they have no partner: `'inner'` (none, the default), `'left'`, `'right'`, `'full'`. */
  readonly type?: Type;
}

/** How far apart in event time two records may be. */
export interface JoinInterval {
  /** The right one may be so much earlier than the left one; not at all when left out. */
  readonly before?: Duration;
  /** The right one may be so much later than the left one; not at all when left out. */
  readonly after?: Duration;
}

/** A join of the records of a key that are close in event time. */
export interface IntervalJoinOptions<Type extends JoinType = 'inner'> {
  /** The longest time between two records, or how much earlier and later the right one may be. Both ends belong to it. */
  readonly within: Duration | JoinInterval;
  /** Which records are given though they have no partner: `'inner'` (none, the default), `'left'`, `'right'`, `'full'`. */
  readonly type?: Type;
}

/** A join of each record of the left stream with the record of the right one that was the latest at its time. */
export interface AsOfJoinOptions<Type extends 'inner' | 'left' = 'inner'> {
  /** The right record may be so old, compared with the left one; however old when left out. */
  readonly within?: Duration;
  /** `'left'` gives records of the left stream also where there is none of the right one. */
  readonly type?: Type;
}

/** A join of each record of a stream with the row that a table has for its key. */
export interface TableJoinOptions<Type extends 'inner' | 'left' = 'inner'> {
  /** `'left'` gives records of the stream also where the table has no row. */
  readonly type?: Type;
  /**
   * `'event'`: the row that held at the record's own time, whatever came first; both streams need `assignTimestamps`.
   * `'processing'`: the row at hand when the record comes. When left away, `'event'` where both streams have event time, and
   * `'processing'` where neither has.
   */
  readonly time?: 'event' | 'processing';
}

/** What a join of two sides was told. */
export type PairJoin =
  | { readonly kind: 'window'; readonly settings: WindowSettings; readonly type: JoinType; readonly fn: PairFunction }
  | { readonly kind: 'interval'; readonly settings: IntervalJoinSettings; readonly fn: PairFunction }
  | { readonly kind: 'asOf'; readonly settings: AsOfJoinSettings; readonly fn: PairFunction };

type PairFunction = (left: unknown, right: unknown) => unknown;

/**
 * The options and the function of a join of two sides; `undefined` where `value` is something else: a class of the user's.
 *
 * @throws SageError SAGE_PLAN_ARGUMENT or SAGE_PLAN_FUNCTION
 */
export function toPairJoin(value: unknown, fn: unknown, inputs: number, declaredAt: SourceLocation): PairJoin | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('window' in value || 'within' in value)) {
    if (Object.getPrototypeOf(value) !== Object.prototype) return undefined;
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `join was given ${describeValue(value)}, which does not say which records belong together`,
      expected: '{ window, type }, { within, type }, or a class that extends BaseJoinFunction',
      found: describeValue(value),
      fix: "Write join({ window: tumbling('10s') }, (left, right) => ...), or join({ within: '10s' }, ...).",
      declaredAt,
    });
  }
  const isWindow = 'window' in value;
  const { window, within, type = 'inner' } = checkOptions(value, isWindow ? ['window', 'type'] : ['within', 'type'], 'join', declaredAt) as { window?: unknown; within?: unknown; type?: unknown };
  if (inputs !== 2) {
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `join was given ${isWindow ? 'a window' : 'an interval'} for ${inputs} streams`,
      expected: 'two streams: the left one and the right one',
      found: `${inputs} streams`,
      fix: 'Join two of them, and the result with the next one, or write a class that extends BaseJoinFunction.',
      declaredAt,
    });
  }
  checkType(type, TYPES, 'join', declaredAt);
  const pair = checkPairFunction(fn, 'join', declaredAt);
  if (isWindow) return { kind: 'window', settings: toWindowSettings(window, declaredAt), type: type as JoinType, fn: pair };
  return { kind: 'interval', settings: { ...checkInterval(within, declaredAt), type: type as JoinType }, fn: pair };
}

/** The options and the function of an as-of join. @throws SageError SAGE_PLAN_ARGUMENT or SAGE_PLAN_FUNCTION */
export function toAsOfJoin(options: unknown, fn: unknown, declaredAt: SourceLocation): PairJoin {
  const { within, type = 'inner' } = checkOptions(options, ['within', 'type'], 'asOfJoin', declaredAt);
  checkType(type, ['inner', 'left'], 'asOfJoin', declaredAt);
  const withinMs = within === undefined ? undefined : checkDuration(within, 'within of asOfJoin', 0, declaredAt);
  return { kind: 'asOf', settings: { withinMs, type: type as 'inner' | 'left' }, fn: checkPairFunction(fn, 'asOfJoin', declaredAt) };
}

/**
 * The options and the function of a join with a table; the options may be left away.
 *
 * @throws SageError SAGE_PLAN_ARGUMENT or SAGE_PLAN_FUNCTION
 */
export function toTableJoin(table: TableOptions<never>, args: readonly unknown[], declaredAt: SourceLocation): PairJoin {
  const [options, fn] = args.length === 1 ? [{}, args[0]] : args;
  const { type = 'inner', time } = checkOptions(options, ['type', 'time'], 'join', declaredAt);
  checkType(type, ['inner', 'left'], 'join', declaredAt);
  if (time !== undefined && time !== 'event' && time !== 'processing') {
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `the time of join is ${describeValue(time)}`,
      expected: "'event' or 'processing'",
      found: describeValue(time),
      fix: 'Leave it away: with event time in both streams it is that of the record.',
      declaredAt,
    });
  }
  const settings: AsOfJoinSettings = { withinMs: table.ttlMs, type: type as 'inner' | 'left', table: { isDeleted: table.deleted, time } };
  return { kind: 'asOf', settings, fn: checkPairFunction(fn, 'join', declaredAt) };
}

function checkType(type: unknown, types: readonly unknown[], call: string, declaredAt: SourceLocation): void {
  if (types.includes(type)) return;
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: `the type of ${call} is ${describeValue(type)}`,
    expected: types.map((known) => `'${String(known)}'`).join(' or '),
    found: describeValue(type),
    fix: "Leave it away for 'inner'.",
    declaredAt,
  });
}

function checkPairFunction(fn: unknown, call: string, declaredAt: SourceLocation): PairFunction {
  if (typeof fn === 'function' && !isClass(fn)) return fn as unknown as PairFunction;
  throw planError('SAGE_PLAN_FUNCTION', {
    message: `${call} was given ${describeValue(fn)} for what becomes of two records`,
    expected: 'a function of the left and the right record',
    found: describeValue(fn),
    fix: 'Give it as the last argument: (left, right) => ({ ...left, ...right }).',
    declaredAt,
  });
}

function checkInterval(within: unknown, declaredAt: SourceLocation): { beforeMs: number; afterMs: number } {
  if (typeof within !== 'object' || within === null) {
    const ms = checkDuration(within, 'within of join', 0, declaredAt);
    return { beforeMs: ms, afterMs: ms };
  }
  const { before = 0, after = 0 } = checkOptions(within, ['before', 'after'], 'within of join', declaredAt);
  return { beforeMs: checkDuration(before, 'before of join', 0, declaredAt), afterMs: checkDuration(after, 'after of join', 0, declaredAt) };
}

/**
 * A join brings the records of a key together: all of its inputs need one.
 *
 * @throws SageError SAGE_PLAN_NOT_KEYED, or SAGE_PLAN_KEY_STRATEGY where records of a key are not at one instance.
 */
export function checkJoinInputs(inputs: readonly BaseTransformation[], declaredAt: SourceLocation): void {
  for (const [number, input] of inputs.entries()) {
    if (input.keyedBy === undefined) {
      throw planError('SAGE_PLAN_NOT_KEYED', {
        message: `join brings records of the same key together, but those of the stream number ${number}, '${input.name}', have no key`,
        expected: 'a key for each of the connected streams',
        found: 'a stream without keyBy',
        fix: "Call keyBy behind connect: first.connect(second).keyBy('id').join(...).",
        declaredAt,
        related: [{ what: `'${input.name}', which has no key`, declaredAt: input.declaredAt }],
      });
    }
    checkKeyedState(input, 'join', declaredAt);
  }
}
