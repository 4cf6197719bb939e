import { type CallNode, type ExpressionNode, type LiteralNode, type LiteralValue, callsOf, datesOf } from '../../functions/expressions/expression-node.ts';
import { kindOf } from '../../functions/expressions/scalar-operation.ts';
import type { SegmentText } from './segment-text.ts';

/** An expression as text: what it needs declared, and the value. */
export interface ExpressionCode {
  /** A declaration of names, or nothing. */
  readonly declaration: string;
  readonly value: string;
}

/** Where the parts of an expression that have no text are bound. */
export interface ExpressionPlace {
  readonly node: number;
  /** Which of the node's expressions it is. */
  readonly place: number;
}

/**
 * Writes an expression inline: short ways for values of the kinds that are needed, and a call of the scalar operation (bound in
 * `R.expressions`) for all others, which decides what null gives and what is an error.
 *
 * @param normalised a result that is no value becomes null; elsewhere undefined may stand for it.
 */
export function emitExpression(text: SegmentText, expression: ExpressionNode, record: string, at: ExpressionPlace, normalised: boolean): ExpressionCode {
  const emitter = new ExpressionEmitter(text, expression, record, at);
  const value = normalised ? emitter.normalised(expression) : emitter.value(expression);
  return { declaration: emitter.names.length === 0 ? '' : `let ${emitter.names.join(', ')};`, value };
}

/** Most values of an `in` that are compared one by one. */
const MAX_COMPARED = 8;

const SIGNS: Readonly<Record<string, string>> = { add: '+', sub: '-', mul: '*', div: '/', mod: '%', gt: '>', ge: '>=', lt: '<', le: '<=', eq: '===', ne: '!==' };
const OF_MATH: ReadonlySet<string> = new Set(['abs', 'floor', 'ceil', 'round']);
const OF_TEXT: Readonly<Record<string, string>> = { lower: 'toLowerCase()', upper: 'toUpperCase()', trim: 'trim()', length: 'length' };
const SEARCHES: Readonly<Record<string, string>> = { startsWith: 'startsWith', endsWith: 'endsWith', contains: 'includes' };
const OF_DATE: Readonly<Record<string, string>> = {
  year: 'getUTCFullYear()',
  month: 'getUTCMonth() + 1',
  day: 'getUTCDate()',
  hour: 'getUTCHours()',
  minute: 'getUTCMinutes()',
  second: 'getUTCSeconds()',
  weekday: 'getUTCDay()',
  epochMs: 'getTime()',
};
/** Names that something without fields has, or that are no fields. */
const UNUSUAL_NAME = /^(?:__proto__|length|\d+)$/;

/** An operand that has been named. */
interface Operand {
  /** Gives it its name; nothing for a constant. */
  readonly assignment: string | undefined;
  readonly name: string;
  readonly literal: LiteralValue | undefined;
}

class ExpressionEmitter {
  readonly names: string[] = [];
  readonly #text: SegmentText;
  readonly #record: string;
  readonly #bound: string;
  readonly #prefix: string;
  readonly #calls: readonly CallNode[];
  readonly #dates: readonly LiteralNode[];

  constructor(text: SegmentText, expression: ExpressionNode, record: string, { node, place }: ExpressionPlace) {
    this.#text = text;
    this.#record = record;
    this.#bound = `R.expressions[${node}][${place}]`;
    this.#prefix = `${node}_${place}`;
    this.#calls = callsOf(expression);
    this.#dates = datesOf(expression);
  }

  /** The value; undefined and functions may stand for null. */
  value(node: ExpressionNode): string {
    if (node.kind === 'literal') return this.#literal(node);
    if (node.kind === 'column') return this.#column(node.path.segments);
    return this.#call(node);
  }

  normalised(node: ExpressionNode): string {
    const isValue = node.kind === 'literal' || (node.kind === 'call' && node.operation !== 'coalesce' && node.operation !== 'cond');
    if (isValue) return this.value(node);
    const name = this.#name();
    return `((${name} = ${this.value(node)}) === undefined || typeof ${name} === 'function' ? null : ${name})`;
  }

  #name(): string {
    const name = this.#text.fresh('t');
    this.names.push(name);
    return name;
  }

  #literal(node: LiteralNode): string {
    const { value } = node;
    if (value instanceof Date) {
      const place = this.#dates.indexOf(node);
      return this.#text.bind(`h${this.#prefix}_${place}`, `${this.#bound}.dates[${place}]`);
    }
    if (typeof value === 'string') return JSON.stringify(value);
    return Object.is(value, -0) ? '-0' : String(value);
  }

  #column(segments: readonly string[]): string {
    const [first, ...rest] = segments as [string, ...string[]];
    let value = UNUSUAL_NAME.test(first) ? this.#readField(this.#record, first) : `${this.#record}?.[${JSON.stringify(first)}]`;
    for (const segment of rest) {
      const name = this.#name();
      value =
        segment === '__proto__'
          ? this.#readField(value, segment)
          : `(typeof (${name} = ${value}) === 'object' && ${name} !== null && !Array.isArray(${name}) ? ${name}[${JSON.stringify(segment)}] : undefined)`;
    }
    return value;
  }

  #readField(value: string, name: string): string {
    return `${this.#text.bind('readField', 'R.readField')}(${value}, ${JSON.stringify(name)})`;
  }

  /** The scalar operation of a call. */
  #scalar(node: CallNode): string {
    const place = this.#calls.indexOf(node);
    return this.#text.bind(`c${this.#prefix}_${place}`, `${this.#bound}.calls[${place}]`);
  }

  #operand(node: ExpressionNode): Operand {
    if (node.kind === 'literal') return { assignment: undefined, name: this.#literal(node), literal: node.value };
    const name = this.#name();
    return { assignment: `${name} = ${this.value(node)}`, name, literal: undefined };
  }

  /** All operands, then `fast` where each is of its kind, else the scalar operation. */
  #guarded(node: CallNode, kinds: readonly string[], fast: (names: readonly string[]) => string): string {
    const operands = node.operands.map((operand) => this.#operand(operand));
    const names = operands.map(({ name }) => name);
    const slow = `${this.#scalar(node)}(${names.join(', ')})`;
    const isHopeless = operands.some(({ literal }, n) => literal !== undefined && kindOf(literal) !== kinds[n]);
    const open = operands.flatMap(({ assignment, name }, n) => (assignment === undefined ? [] : [{ assignment, name, kind: kinds[n]! }]));
    if (isHopeless) return `(${[...open.map(({ assignment }) => assignment), slow].join(', ')})`;
    if (open.length === 0) return fast(names);
    const [only] = open;
    if (open.length === 1) return `(${isOfKind(`(${only!.assignment})`, only!.kind)} ? ${fast(names)} : ${slow})`;
    return `(${open.map(({ assignment }) => assignment).join(', ')}, ${open.map(({ name, kind }) => isOfKind(name, kind)).join(' && ')} ? ${fast(names)} : ${slow})`;
  }

  #call(node: CallNode): string {
    const { operation, operands } = node;
    switch (operation) {
      case 'and':
      case 'or':
        return this.#logic(node, operation === 'or');
      case 'cond':
        return this.#cond(node);
      case 'coalesce':
        return this.#coalesce(operands);
      case 'isNull': {
        const name = this.#name();
        return `((${name} = ${this.value(operands[0]!)}) === null || ${name} === undefined || typeof ${name} === 'function')`;
      }
      case 'eq':
      case 'ne':
      case 'gt':
      case 'ge':
      case 'lt':
      case 'le':
        return this.#comparison(node);
      case 'in':
        return this.#in(node);
      case 'between': {
        const kind = comparedKind(node);
        return this.#guarded(node, [kind, kind, kind], ([value, low, high]) => `${timeOf(value!, kind)} >= ${timeOf(low!, kind)} && ${timeOf(value!, kind)} <= ${timeOf(high!, kind)}`);
      }
      case 'add':
      case 'sub':
      case 'mul':
      case 'div':
      case 'mod':
        return this.#guarded(node, ['number', 'number'], ([a, b]) => `${a} ${SIGNS[operation]} ${b}`);
      case 'neg':
        return this.#guarded(node, ['number'], ([a]) => `-(${a})`);
      case 'not':
        return this.#guarded(node, ['boolean'], ([a]) => `!${a}`);
      case 'filter':
        return this.#guarded(node, ['boolean'], ([a]) => a!);
      case 'concat':
        return this.#guarded(node, operands.map(() => 'string'), (texts) => texts.join(' + '));
      case 'slice':
        return this.#guarded(node, ['string', 'number', 'number'], ([text, ...ends]) => `${text}.slice(${ends.join(', ')})`);
      case 'replace': {
        const [, , replacement] = operands;
        // A `$` would be special in this short way.
        const isPlain = replacement?.kind === 'literal' && !String(replacement.value).includes('$');
        return isPlain ? this.#guarded(node, ['string', 'string', 'string'], ([text, search, by]) => `${text}.replaceAll(${search}, ${by})`) : this.#scalarOnly(node);
      }
      case 'toNumber':
        return this.#guarded(node, ['number'], ([a]) => a!);
      case 'toText':
        return this.#guarded(node, ['string'], ([a]) => a!);
      case 'toBoolean':
        return this.#guarded(node, ['boolean'], ([a]) => a!);
      case 'toDate':
        return this.#guarded(node, ['date'], ([a]) => a!);
      case 'truncate':
        return this.#scalarOnly(node);
      default:
        return this.#simple(node);
    }
  }

  /** Operations that are one member of the value. */
  #simple(node: CallNode): string {
    const { operation } = node;
    if (OF_MATH.has(operation)) return this.#guarded(node, ['number'], ([a]) => `Math.${operation}(${a})`);
    const ofText = OF_TEXT[operation];
    if (ofText !== undefined) return this.#guarded(node, ['string'], ([a]) => `${a}.${ofText}`);
    const search = SEARCHES[operation];
    if (search !== undefined) return this.#guarded(node, ['string', 'string'], ([a, b]) => `${a}.${search}(${b})`);
    const ofDate = OF_DATE[operation];
    if (ofDate !== undefined) return this.#guarded(node, ['date'], ([a]) => `${a}.${ofDate}`);
    return this.#scalarOnly(node);
  }

  #scalarOnly(node: CallNode): string {
    return `${this.#scalar(node)}(${node.operands.map((operand) => this.value(operand)).join(', ')})`;
  }

  #logic(node: CallNode, decisive: boolean): string {
    const [left, right] = [this.#operand(node.operands[0]!), this.#operand(node.operands[1]!)];
    const first = left.assignment === undefined ? left.name : `(${left.assignment})`;
    const second = right.assignment === undefined ? '' : `${right.assignment}, `;
    return `(${first} === ${decisive} ? ${decisive} : (${second}${left.name} === ${!decisive} && typeof ${right.name} === 'boolean' ? ${right.name} : ${this.#scalar(node)}(${left.name}, ${right.name})))`;
  }

  #cond(node: CallNode): string {
    const [when, then, otherwise] = node.operands as [ExpressionNode, ExpressionNode, ExpressionNode];
    const { assignment, name } = this.#operand(when);
    const condition = assignment === undefined ? name : `(${assignment})`;
    return `(${condition} === true ? ${this.value(then)} : (${name} === false || ${this.#scalar(node)}(${name}, true, false), ${this.value(otherwise)}))`;
  }

  #coalesce(operands: readonly ExpressionNode[]): string {
    const [first, ...rest] = operands as [ExpressionNode, ...ExpressionNode[]];
    if (rest.length === 0) return this.value(first);
    const name = this.#name();
    return `((${name} = ${this.value(first)}) !== null && ${name} !== undefined && typeof ${name} !== 'function' ? ${name} : ${this.#coalesce(rest)})`;
  }

  #comparison(node: CallNode): string {
    const kind = comparedKind(node);
    return this.#guarded(node, [kind, kind], ([a, b]) => `${timeOf(a!, kind)} ${SIGNS[node.operation]} ${timeOf(b!, kind)}`);
  }

  #in(node: CallNode): string {
    const [value, ...items] = node.operands as [ExpressionNode, ...ExpressionNode[]];
    const kind = comparedKind(node);
    if (items.length === 0 || items.length > MAX_COMPARED || kind === 'date') {
      const items = this.#text.bind(`j${this.#prefix}_${this.#calls.indexOf(node)}`, `${this.#bound}.members[${this.#calls.indexOf(node)}]`);
      return `${items}(${this.value(value)})`;
    }
    return this.#guarded(node, [kind, ...items.map(() => kind)], ([name, ...texts]) => `(${texts.map((text) => `${name} === ${text}`).join(' || ')})`);
  }
}

/** The kind that the constants among what is compared have; numbers, where there is none: most of what is compared. */
function comparedKind({ operands }: CallNode): string {
  for (const operand of operands) if (operand.kind === 'literal') return kindOf(operand.value);
  return 'number';
}

function isOfKind(value: string, kind: string): string {
  return kind === 'date' ? `${value} instanceof Date` : `typeof ${value} === '${kind}'`;
}

function timeOf(value: string, kind: string): string {
  return kind === 'date' ? `${value}.getTime()` : value;
}
