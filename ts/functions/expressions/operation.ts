/** The kinds of values that operations take and give, beside `null`. */
export type ValueKind = 'number' | 'string' | 'boolean' | 'date';

/**
 * What an operand has to be: of one kind, `comparable` (of any of these kinds, and all of these operands of the same), or `any`
 * value, also one that has no kind, such as an array.
 */
export type OperandKind = ValueKind | 'comparable' | 'any';

/** What is known of an operation without its operands. */
export interface Operation {
  /** One for each operand; the last one is also for all further ones. */
  readonly operands: readonly OperandKind[];
  /** Kind of a result that is not null; `any` where the operands decide. */
  readonly result: ValueKind | 'any';
  /** Whether the result is null when an operand is; the others say themselves what null means to them. */
  readonly strict: boolean;
}

function strict(operands: readonly OperandKind[], result: ValueKind): Operation {
  return { operands, result, strict: true };
}

function lenient(operands: readonly OperandKind[], result: ValueKind | 'any'): Operation {
  return { operands, result, strict: false };
}

const ARITHMETIC = strict(['number', 'number'], 'number');
const OF_NUMBER = strict(['number'], 'number');
const COMPARISON = strict(['comparable', 'comparable'], 'boolean');
const OF_TEXT = strict(['string'], 'string');
const SEARCH = strict(['string', 'string'], 'boolean');
const DATE_PART = strict(['date'], 'number');

/** The name of an operation. */
export type OperationName =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'mod'
  | 'neg'
  | 'abs'
  | 'floor'
  | 'ceil'
  | 'round'
  | 'eq'
  | 'ne'
  | 'gt'
  | 'ge'
  | 'lt'
  | 'le'
  | 'in'
  | 'between'
  | 'and'
  | 'or'
  | 'not'
  | 'filter'
  | 'isNull'
  | 'coalesce'
  | 'cond'
  | 'lower'
  | 'upper'
  | 'trim'
  | 'length'
  | 'concat'
  | 'startsWith'
  | 'endsWith'
  | 'contains'
  | 'slice'
  | 'replace'
  | 'year'
  | 'month'
  | 'day'
  | 'hour'
  | 'minute'
  | 'second'
  | 'weekday'
  | 'epochMs'
  | 'truncate'
  | 'toNumber'
  | 'toText'
  | 'toBoolean'
  | 'toDate';

/** All operations, by the names that both languages know them by. */
export const OPERATIONS: Readonly<Record<OperationName, Operation>> = {
  add: ARITHMETIC,
  sub: ARITHMETIC,
  mul: ARITHMETIC,
  div: ARITHMETIC,
  mod: ARITHMETIC,
  neg: OF_NUMBER,
  abs: OF_NUMBER,
  floor: OF_NUMBER,
  ceil: OF_NUMBER,
  round: OF_NUMBER,
  eq: COMPARISON,
  ne: COMPARISON,
  gt: COMPARISON,
  ge: COMPARISON,
  lt: COMPARISON,
  le: COMPARISON,
  in: strict(['comparable'], 'boolean'),
  between: lenient(['comparable'], 'boolean'),
  and: lenient(['boolean', 'boolean'], 'boolean'),
  or: lenient(['boolean', 'boolean'], 'boolean'),
  not: strict(['boolean'], 'boolean'),
  /** Whether a record passes: what a filter makes of an expression that may be anything. */
  filter: lenient(['boolean'], 'boolean'),
  isNull: lenient(['any'], 'boolean'),
  coalesce: lenient(['any'], 'any'),
  cond: lenient(['boolean', 'any', 'any'], 'any'),
  lower: OF_TEXT,
  upper: OF_TEXT,
  trim: OF_TEXT,
  length: strict(['string'], 'number'),
  concat: strict(['string'], 'string'),
  startsWith: SEARCH,
  endsWith: SEARCH,
  contains: SEARCH,
  slice: strict(['string', 'number'], 'string'),
  replace: strict(['string', 'string', 'string'], 'string'),
  year: DATE_PART,
  month: DATE_PART,
  day: DATE_PART,
  hour: DATE_PART,
  minute: DATE_PART,
  second: DATE_PART,
  weekday: DATE_PART,
  epochMs: DATE_PART,
  truncate: strict(['date', 'string'], 'date'),
  toNumber: strict(['any'], 'number'),
  toText: strict(['any'], 'string'),
  toBoolean: strict(['any'], 'boolean'),
  toDate: strict(['any'], 'date'),
};

/** What an operand of an operation has to be. */
export function operandKind(name: OperationName, place: number): OperandKind {
  const { operands }: Operation = OPERATIONS[name];
  return operands[Math.min(place, operands.length - 1)]!;
}

/** What `truncate` can cut off to. */
export type DateUnit = 'year' | 'month' | 'week' | 'day' | 'hour' | 'minute' | 'second';

/** All units of `truncate`. */
export const DATE_UNITS: readonly DateUnit[] = ['year', 'month', 'week', 'day', 'hour', 'minute', 'second'];
