import { inspect } from 'node:util';

import { planError } from '../../common/errors.ts';
import { captureSourceLocation } from '../../common/source-location.ts';
import { describeValue } from '../check-user-function.ts';
import type { ExpressionNode } from './expression-node.ts';
import { expressionText } from './expression-text.ts';
import type { AnyExpression, Comparable, FieldOf, Like, Need, NeedOf, NeedsOf, NullsOf, Operand, Subject, ValueOf } from './expression-types.ts';
import { callNode, literalNode, type PublicCall } from './make-call.ts';
import { DATE_UNITS, type DateUnit, type OperationName } from './operation.ts';

/** The type of what both sides of a comparison are, asked of the side that is a field. */
type Other<V> = [V] extends [FieldOf<string>] ? Comparable : V;

/**
 * What to compute of a record: data that the engine reads, writes into generated code, and runs in the core without any JavaScript where
 * it can. Made by `col`, `lit` and `cond`; never changed, each call gives a new one. The rules for null, numbers, texts and dates are in
 * docs/guide/expressions.md.
 *
 * ```ts
 * const orders = env.fromCollection([{ item: 'pen', price: 5, count: 3 }, { item: 'ink', price: 9, count: 1 }]);
 * const total = col('price').mul(col('count'));
 * console.log(String(total));
 * orders.filter(total.ge(10)).select({ item: col('item').upper(), total }).print();
 * ```
 *
 * A value of a wrong type, such as a string in `mul`, is an error of that record, SAGE_EXPRESSION_VALUE. What can be seen to be wrong
 * when the expression is written is a plan error, SAGE_PLAN_ARGUMENT.
 *
 * @typeParam N - The fields that it reads, with the types that it needs them to have.
 * @typeParam V - The type of its value.
 * @typeParam D - The fields whose absence makes it null.
 */
export class Expression<in N, out V, out D extends string> {
  /** Only for the type; never set. */
  declare readonly needs?: (fields: N) => void;
  /** Only for the type; never set. */
  declare readonly value?: V;
  /** Only for the type; never set. */
  declare readonly nullFrom?: D;
  readonly #node: ExpressionNode;

  /** For `col`, `lit` and `cond`. */
  constructor(node: ExpressionNode) {
    this.#node = node;
  }

  /** The tree of an expression. */
  static nodeOf(expression: AnyExpression): ExpressionNode {
    return expression.#node;
  }

  /** Whether something is an expression. */
  static is(value: unknown): value is AnyExpression {
    return value instanceof Expression;
  }

  /** The tree of an operand: an expression or a constant. */
  static operand(value: unknown, call: PublicCall): ExpressionNode {
    return Expression.is(value) ? Expression.nodeOf(value) : literalNode(value, call);
  }

  /** Sum of two numbers. Null where one is null, here and in all that follows, unless something else is said. */
  add<E extends Operand<number>>(this: Subject<number>, other: E): Expression<N & Need<V, number> & NeedOf<E, number>, number, D | NullsOf<E>> {
    return made('add', this, [other], this.add);
  }

  /** Difference of two numbers. */
  sub<E extends Operand<number>>(this: Subject<number>, other: E): Expression<N & Need<V, number> & NeedOf<E, number>, number, D | NullsOf<E>> {
    return made('sub', this, [other], this.sub);
  }

  /** Product of two numbers. */
  mul<E extends Operand<number>>(this: Subject<number>, other: E): Expression<N & Need<V, number> & NeedOf<E, number>, number, D | NullsOf<E>> {
    return made('mul', this, [other], this.mul);
  }

  /** Quotient of two numbers; by zero as in JavaScript: `Infinity`, `-Infinity` or `NaN`. */
  div<E extends Operand<number>>(this: Subject<number>, other: E): Expression<N & Need<V, number> & NeedOf<E, number>, number, D | NullsOf<E>> {
    return made('div', this, [other], this.div);
  }

  /** Remainder, with the sign of the first number, as `%` in JavaScript. */
  mod<E extends Operand<number>>(this: Subject<number>, other: E): Expression<N & Need<V, number> & NeedOf<E, number>, number, D | NullsOf<E>> {
    return made('mod', this, [other], this.mod);
  }

  /** The number with the other sign. */
  neg(this: Subject<number>): Expression<N & Need<V, number>, number, D> {
    return made('neg', this, [], this.neg);
  }

  /** The number without its sign. */
  abs(this: Subject<number>): Expression<N & Need<V, number>, number, D> {
    return made('abs', this, [], this.abs);
  }

  /** The largest whole number that is not above it. */
  floor(this: Subject<number>): Expression<N & Need<V, number>, number, D> {
    return made('floor', this, [], this.floor);
  }

  /** The least whole number that is not below it. */
  ceil(this: Subject<number>): Expression<N & Need<V, number>, number, D> {
    return made('ceil', this, [], this.ceil);
  }

  /** The nearest whole number; of two the larger one, as `Math.round`. */
  round(this: Subject<number>): Expression<N & Need<V, number>, number, D> {
    return made('round', this, [], this.round);
  }

  /** Whether two values of one type are equal; dates by their time. `NaN` equals nothing. */
  eq<E extends Operand<Like<V>>>(other: E): Expression<N & Need<V, Other<ValueOf<E>>> & NeedOf<E, Like<V>>, boolean, D | NullsOf<E>> {
    return made('eq', this, [other], this.eq);
  }

  /** Whether two values of one type differ. */
  ne<E extends Operand<Like<V>>>(other: E): Expression<N & Need<V, Other<ValueOf<E>>> & NeedOf<E, Like<V>>, boolean, D | NullsOf<E>> {
    return made('ne', this, [other], this.ne);
  }

  /** Whether it is greater than the other; texts by UTF-16 code units, `false` is below `true`. */
  gt<E extends Operand<Like<V>>>(other: E): Expression<N & Need<V, Other<ValueOf<E>>> & NeedOf<E, Like<V>>, boolean, D | NullsOf<E>> {
    return made('gt', this, [other], this.gt);
  }

  /** Whether it is greater than the other or equal to it. */
  ge<E extends Operand<Like<V>>>(other: E): Expression<N & Need<V, Other<ValueOf<E>>> & NeedOf<E, Like<V>>, boolean, D | NullsOf<E>> {
    return made('ge', this, [other], this.ge);
  }

  /** Whether it is less than the other. */
  lt<E extends Operand<Like<V>>>(other: E): Expression<N & Need<V, Other<ValueOf<E>>> & NeedOf<E, Like<V>>, boolean, D | NullsOf<E>> {
    return made('lt', this, [other], this.lt);
  }

  /** Whether it is less than the other or equal to it. */
  le<E extends Operand<Like<V>>>(other: E): Expression<N & Need<V, Other<ValueOf<E>>> & NeedOf<E, Like<V>>, boolean, D | NullsOf<E>> {
    return made('le', this, [other], this.le);
  }

  /** Whether it equals one of these constants, which are all of one type; of an empty list none. */
  in<X extends Like<V>>(values: readonly X[]): Expression<N & Need<V, ValueOf<X>>, boolean, D> {
    if (!Array.isArray(values)) throw notAList(values, this.in);
    return new Expression(callNode('in', [this.#node, ...values.map((value) => literalNode(value, this.in))], this.in));
  }

  /** Whether it is from `low` to `high`, both included. */
  between<L extends Operand<Like<V>>, H extends Operand<Like<V>>>(
    low: L,
    high: H,
  ): Expression<N & Need<V, Other<ValueOf<L>>> & NeedOf<L, Like<V>> & NeedOf<H, Like<V>>, boolean, D | NullsOf<L> | NullsOf<H>> {
    return made('between', this, [low, high], this.between);
  }

  /** Both. False when one is false, else null when one is null. */
  and<E extends Operand<boolean>>(this: Subject<boolean>, other: E): Expression<N & Need<V, boolean> & NeedOf<E, boolean>, boolean, D | NullsOf<E>> {
    return made('and', this, [other], this.and);
  }

  /** One of two. True when one is true, else null when one is null. */
  or<E extends Operand<boolean>>(this: Subject<boolean>, other: E): Expression<N & Need<V, boolean> & NeedOf<E, boolean>, boolean, D | NullsOf<E>> {
    return made('or', this, [other], this.or);
  }

  /** The opposite. */
  not(this: Subject<boolean>): Expression<N & Need<V, boolean>, boolean, D> {
    return made('not', this, [], this.not);
  }

  /** Whether there is no value: null, undefined, or a field that is not there. */
  isNull(): Expression<N, boolean, never> {
    return made('isNull', this, [], this.isNull);
  }

  /** The first of these that is not null. The others are not looked at. */
  coalesce<E extends readonly (Comparable | AnyExpression)[]>(...others: E): Expression<N & NeedsOf<E, unknown>, V | ValueOf<E[number]>, LastNulls<D, E>> {
    return made('coalesce', this, others, this.coalesce);
  }

  /** The text in lower case, as in JavaScript: by Unicode, for no language in particular. */
  lower(this: Subject<string>): Expression<N & Need<V, string>, string, D> {
    return made('lower', this, [], this.lower);
  }

  /** The text in upper case. */
  upper(this: Subject<string>): Expression<N & Need<V, string>, string, D> {
    return made('upper', this, [], this.upper);
  }

  /** The text without white space at its ends. */
  trim(this: Subject<string>): Expression<N & Need<V, string>, string, D> {
    return made('trim', this, [], this.trim);
  }

  /** Length of the text in UTF-16 code units. */
  length(this: Subject<string>): Expression<N & Need<V, string>, number, D> {
    return made('length', this, [], this.length);
  }

  /** The text and others behind it. Of other types make texts first: `.concat(col('id').toString())`. */
  concat<E extends readonly Operand<string>[]>(this: Subject<string>, ...others: E): Expression<N & Need<V, string> & NeedsOf<E, string>, string, D | NullsOf<E[number]>> {
    return made('concat', this, others, this.concat);
  }

  /** Whether the text begins with another. */
  startsWith<E extends Operand<string>>(this: Subject<string>, start: E): Expression<N & Need<V, string> & NeedOf<E, string>, boolean, D | NullsOf<E>> {
    return made('startsWith', this, [start], this.startsWith);
  }

  /** Whether the text ends with another. */
  endsWith<E extends Operand<string>>(this: Subject<string>, end: E): Expression<N & Need<V, string> & NeedOf<E, string>, boolean, D | NullsOf<E>> {
    return made('endsWith', this, [end], this.endsWith);
  }

  /** Whether another text is a part of it. */
  contains<E extends Operand<string>>(this: Subject<string>, part: E): Expression<N & Need<V, string> & NeedOf<E, string>, boolean, D | NullsOf<E>> {
    return made('contains', this, [part], this.contains);
  }

  /** The part from one UTF-16 code unit to before another, as `String.prototype.slice`: negative numbers count from the end. */
  slice<S extends Operand<number>, E extends Operand<number> = never>(
    this: Subject<string>,
    start: S,
    end?: E,
  ): Expression<N & Need<V, string> & NeedOf<S, number> & NeedOf<E, number>, string, D | NullsOf<S> | NullsOf<E>> {
    return made('slice', this, end === undefined ? [start] : [start, end], this.slice);
  }

  /** The text with every `search` replaced. `$` has no meaning of its own. */
  replace(this: Subject<string>, search: string, replacement: string): Expression<N & Need<V, string>, string, D> {
    if (search === '') throw emptySearch(this.replace);
    return made('replace', this, [search, replacement], this.replace);
  }

  /** The year of a date. Parts of dates are in UTC, and NaN of an invalid date. */
  year(this: Subject<Date>): Expression<N & Need<V, Date>, number, D> {
    return made('year', this, [], this.year);
  }

  /** The month, from 1 to 12. */
  month(this: Subject<Date>): Expression<N & Need<V, Date>, number, D> {
    return made('month', this, [], this.month);
  }

  /** The day of the month, from 1. */
  day(this: Subject<Date>): Expression<N & Need<V, Date>, number, D> {
    return made('day', this, [], this.day);
  }

  /** The hour, from 0 to 23. */
  hour(this: Subject<Date>): Expression<N & Need<V, Date>, number, D> {
    return made('hour', this, [], this.hour);
  }

  /** The minute. */
  minute(this: Subject<Date>): Expression<N & Need<V, Date>, number, D> {
    return made('minute', this, [], this.minute);
  }

  /** The second. */
  second(this: Subject<Date>): Expression<N & Need<V, Date>, number, D> {
    return made('second', this, [], this.second);
  }

  /** The day of the week, from 0 for Sunday to 6, as `Date.prototype.getUTCDay`. */
  weekday(this: Subject<Date>): Expression<N & Need<V, Date>, number, D> {
    return made('weekday', this, [], this.weekday);
  }

  /** Milliseconds since 1970. */
  epochMs(this: Subject<Date>): Expression<N & Need<V, Date>, number, D> {
    return made('epochMs', this, [], this.epochMs);
  }

  /** The beginning of the `'year'`, `'month'`, `'week'` (Monday), `'day'`, `'hour'`, `'minute'` or `'second'`, in UTC. */
  truncate(this: Subject<Date>, unit: DateUnit): Expression<N & Need<V, Date>, Date, D> {
    if (!DATE_UNITS.includes(unit)) throw unknownUnit(unit, this.truncate);
    return made('truncate', this, [unit], this.truncate);
  }

  /** A number of a text in decimal notation, of a boolean (0, 1), or of a date (milliseconds since 1970). Another text is an error of the record. */
  toNumber(): Expression<N, number, D> {
    return made('toNumber', this, [], this.toNumber);
  }

  /** A text of a number or boolean, as `String(value)`; of a date as `toISOString()`. */
  toString(): Expression<N, string, D> {
    return made('toText', this, [], this.toString);
  }

  /** A boolean of a number (0 and NaN are false), or of the texts `'true'` and `'false'`. */
  toBoolean(): Expression<N, boolean, D> {
    return made('toBoolean', this, [], this.toBoolean);
  }

  /** A date of milliseconds since 1970, or of an ISO 8601 text, which is in UTC where it has no offset. */
  toDate(): Expression<N, Date, D> {
    return made('toDate', this, [], this.toDate);
  }

  /** As `explain` prints it: `String(col('price').mul(0.908))` is `price * 0.908`. (`toString` is the cast.) */
  [Symbol.toPrimitive](): string {
    return expressionText(this.#node);
  }
}

// What `console.log` shows.
Object.defineProperty(Expression.prototype, inspect.custom, {
  value(this: AnyExpression): string {
    return `Expression(${expressionText(Expression.nodeOf(this))})`;
  },
});

/** With a constant behind it, or an expression that is never null, `coalesce` never gives null. */
type LastNulls<D, E extends readonly unknown[]> = E extends readonly [...infer _Others, infer Last] ? NullsOf<Last> : D & string;

/** A call on an expression; its type is what the method says. */
function made<N, V, D extends string>(operation: OperationName, subject: AnyExpression, others: readonly unknown[], call: PublicCall): Expression<N, V, D> {
  const operands = [subject, ...others].map((operand) => Expression.operand(operand, call));
  return new Expression<N, V, D>(callNode(operation, operands, call));
}

function notAList(values: unknown, call: PublicCall): Error {
  return planError('SAGE_PLAN_ARGUMENT', {
    message: `in was given ${describeValue(values)}`,
    expected: 'an array of constants',
    found: describeValue(values),
    fix: "Write .in(['a', 'b']), or .eq(...) for another field.",
    declaredAt: captureSourceLocation(call),
  });
}

function emptySearch(call: PublicCall): Error {
  return planError('SAGE_PLAN_ARGUMENT', {
    message: 'replace was given an empty text to look for',
    expected: 'a text with at least one character',
    found: "''",
    fix: 'Write the text to replace, or use concat to add to a text.',
    declaredAt: captureSourceLocation(call),
  });
}

function unknownUnit(unit: unknown, call: PublicCall): Error {
  return planError('SAGE_PLAN_ARGUMENT', {
    message: `truncate was given ${describeValue(unit)}`,
    expected: DATE_UNITS.map((known) => `'${known}'`).join(', '),
    found: describeValue(unit),
    fix: "Write .truncate('day').",
    declaredAt: captureSourceLocation(call),
  });
}
