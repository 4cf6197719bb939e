import { SageError } from '../../common/errors.ts';
import { parseIsoDate, truncateDate } from './civil-date.ts';
import type { CallNode, LiteralValue } from './expression-node.ts';
import { expressionText } from './expression-text.ts';
import { type DateUnit, OPERATIONS, type OperandKind, operandKind, type ValueKind } from './operation.ts';

/** One operation on the values of its operands; `undefined`, `null` and what a record inherits (functions) are no value. */
export type ScalarOperation = (...operands: unknown[]) => LiteralValue;

/** What a value is, in the words of messages. */
export function kindOf(value: unknown): ValueKind | 'null' | 'array' | 'object' | 'bigint' | 'symbol' {
  switch (typeof value) {
    case 'number':
    case 'string':
    case 'boolean':
    case 'bigint':
    case 'symbol':
      return typeof value as 'number';
    case 'object':
      if (value === null) return 'null';
      if (value instanceof Date) return 'date';
      return Array.isArray(value) ? 'array' : 'object';
    default:
      return 'null';
  }
}

function described(kind: ReturnType<typeof kindOf>): string {
  return kind === 'array' || kind === 'object' ? `an ${kind}` : `a ${kind}`;
}

/** The error of a record whose value an operation cannot take. The core says the same words. */
export function valueFailure(call: CallNode, place: number, value: unknown, needed: string): SageError {
  return new SageError('SAGE_EXPRESSION_VALUE', `${expressionText(call.operands[place]!)} is ${described(kindOf(value))}, and ${expressionText(call)} needs ${needed}`);
}

function castFailure(call: CallNode, text: string, what: string): SageError {
  const shown = text.length > 40 ? `${text.slice(0, 40).toWellFormed()}...` : text.toWellFormed();
  return new SageError('SAGE_EXPRESSION_VALUE', `${expressionText(call.operands[0]!)} is the text '${shown}', of which ${expressionText(call)} can make no ${what}`);
}

/**
 * The operation of a call as a function of its operands' values: the one place that says what an operation does. Generated code has short
 * ways for values of the right kinds and calls this for all others.
 */
export function scalarOperation(call: CallNode): ScalarOperation {
  const body = BODIES[call.operation] as (call: CallNode, ...operands: never[]) => LiteralValue;
  const { strict } = OPERATIONS[call.operation];
  const kinds = call.operands.map((_, place) => operandKind(call.operation, place));
  const comparedWith = constantKind(call);
  return (...operands) => {
    const hasNull = checkOperands(call, kinds, operands, comparedWith);
    return strict && hasNull ? null : body(call, ...(operands as never[]));
  };
}

/** The kind of the first constant of a call: what it is compared with is wrong then, and not the constant. */
function constantKind({ operands }: CallNode): string | undefined {
  const constant = operands.find((operand) => operand.kind === 'literal' && operand.value !== null);
  return constant?.kind === 'literal' ? kindOf(constant.value) : undefined;
}

/** Throws at the first operand that is of a wrong kind, and makes null of what is no value; whether one is null. */
function checkOperands(call: CallNode, kinds: readonly OperandKind[], operands: unknown[], comparedWith: string | undefined): boolean {
  let hasNull = false;
  let comparable = comparedWith;
  for (let place = 0; place < operands.length; place++) {
    const kind = kindOf(operands[place]);
    const needed = kinds[place]!;
    if (kind === 'null') {
      operands[place] = null;
      hasNull = true;
    } else if (needed === 'comparable') {
      const isComparable = kind === 'number' || kind === 'string' || kind === 'boolean' || kind === 'date';
      if (!isComparable || (comparable !== undefined && comparable !== kind)) {
        throw valueFailure(call, place, operands[place], comparable === undefined ? 'a number, string, boolean or date' : described(comparable as 'number'));
      }
      comparable = kind;
    } else if (needed !== 'any' && needed !== kind) throw valueFailure(call, place, operands[place], described(needed));
  }
  return hasNull;
}

type Comparable = number | string | boolean | Date;
type Ordered = number | string | boolean;

/** Dates are compared by their time. */
function ordered(value: Comparable): Ordered {
  return value instanceof Date ? value.getTime() : value;
}

function compared(decide: (left: Ordered, right: Ordered) => boolean): (call: CallNode, left: Comparable, right: Comparable) => boolean {
  return (_, left, right) => decide(ordered(left), ordered(right));
}

function numeric(compute: (left: number, right: number) => number): (call: CallNode, left: number, right: number) => number {
  return (_, left, right) => compute(left, right);
}

function datePart(read: (date: Date) => number): (call: CallNode, date: Date) => number {
  return (_, date) => read(date);
}

/** False decides, whatever the other is; so does true for `or`. */
function both(left: boolean | null, right: boolean | null): boolean | null {
  if (left === false || right === false) return false;
  return left === null || right === null ? null : true;
}

const NUMBER = /^[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|Infinity)$/;

const BODIES: Readonly<Record<keyof typeof OPERATIONS, (call: CallNode, ...operands: never[]) => LiteralValue>> = {
  add: numeric((a, b) => a + b),
  sub: numeric((a, b) => a - b),
  mul: numeric((a, b) => a * b),
  div: numeric((a, b) => a / b),
  mod: numeric((a, b) => a % b),
  neg: numeric((a) => -a),
  abs: numeric(Math.abs),
  floor: numeric(Math.floor),
  ceil: numeric(Math.ceil),
  round: numeric(Math.round),
  eq: compared((a, b) => a === b),
  ne: compared((a, b) => a !== b),
  gt: compared((a, b) => a > b),
  ge: compared((a, b) => a >= b),
  lt: compared((a, b) => a < b),
  le: compared((a, b) => a <= b),
  in: (_, value: Comparable, ...items: Comparable[]) => items.some((item) => ordered(item) === ordered(value)),
  between: (_, value: Comparable | null, low: Comparable | null, high: Comparable | null) =>
    both(
      value === null || low === null ? null : ordered(value) >= ordered(low),
      value === null || high === null ? null : ordered(value) <= ordered(high),
    ),
  and: (_, left: boolean | null, right: boolean | null) => both(left, right),
  or: (_, left: boolean | null, right: boolean | null) => {
    if (left === true || right === true) return true;
    return left === null || right === null ? null : false;
  },
  not: (_, value: boolean) => !value,
  filter: (_, value: boolean | null) => value === true,
  isNull: (_, value: unknown) => value === null,
  coalesce: (_, ...values: LiteralValue[]) => values.find((value) => value !== null) ?? null,
  cond: (_, when: boolean | null, then: LiteralValue, otherwise: LiteralValue) => (when === true ? then : otherwise),
  lower: (_, text: string) => text.toLowerCase(),
  upper: (_, text: string) => text.toUpperCase(),
  trim: (_, text: string) => text.trim(),
  length: (_, text: string) => text.length,
  concat: (_, ...texts: string[]) => texts.join(''),
  startsWith: (_, text: string, start: string) => text.startsWith(start),
  endsWith: (_, text: string, end: string) => text.endsWith(end),
  contains: (_, text: string, part: string) => text.includes(part),
  slice: (_, text: string, start: number, end?: number) => text.slice(start, end),
  // Of a function no `$` is special in the replacement.
  replace: (_, text: string, search: string, replacement: string) => text.replaceAll(search, () => replacement),
  year: datePart((date) => date.getUTCFullYear()),
  month: datePart((date) => date.getUTCMonth() + 1),
  day: datePart((date) => date.getUTCDate()),
  hour: datePart((date) => date.getUTCHours()),
  minute: datePart((date) => date.getUTCMinutes()),
  second: datePart((date) => date.getUTCSeconds()),
  weekday: datePart((date) => date.getUTCDay()),
  epochMs: datePart((date) => date.getTime()),
  truncate: (_, date: Date, unit: DateUnit) => truncateDate(date, unit),
  toNumber: (call, value: unknown) => {
    if (typeof value === 'number') return value;
    if (typeof value === 'boolean') return Number(value);
    if (value instanceof Date) return value.getTime();
    if (typeof value !== 'string') throw valueFailure(call, 0, value, 'a number, string, boolean or date');
    const text = value.trim();
    if (!NUMBER.test(text)) throw castFailure(call, value, 'number');
    return Number(text);
  },
  toText: (call, value: unknown) => {
    if (typeof value === 'string') return value;
    if (typeof value === 'number' || typeof value === 'boolean') return String(value);
    if (!(value instanceof Date)) throw valueFailure(call, 0, value, 'a number, string, boolean or date');
    return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  },
  toBoolean: (call, value: unknown) => {
    if (typeof value === 'boolean') return value;
    if (typeof value === 'number') return !(value === 0 || Number.isNaN(value));
    if (typeof value !== 'string') throw valueFailure(call, 0, value, 'a number, string or boolean');
    if (value === 'true') return true;
    if (value === 'false') return false;
    throw castFailure(call, value, 'boolean');
  },
  toDate: (call, value: unknown) => {
    if (value instanceof Date) return value;
    if (typeof value === 'number') return new Date(value);
    if (typeof value !== 'string') throw valueFailure(call, 0, value, 'a number, string or date');
    const date = parseIsoDate(value);
    if (date === undefined) throw castFailure(call, value, 'date');
    return date;
  },
};
