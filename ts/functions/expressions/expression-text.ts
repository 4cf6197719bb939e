import type { CallNode, ExpressionNode, LiteralValue } from './expression-node.ts';
import type { OperationName } from './operation.ts';

/** Operations that are written between their operands, and how strongly they bind. */
const INFIX: Readonly<Partial<Record<OperationName, readonly [sign: string, strength: number]>>> = {
  or: ['or', 1],
  and: ['and', 2],
  eq: ['==', 4],
  ne: ['!=', 4],
  gt: ['>', 4],
  ge: ['>=', 4],
  lt: ['<', 4],
  le: ['<=', 4],
  add: ['+', 5],
  sub: ['-', 5],
  mul: ['*', 6],
  div: ['/', 6],
  mod: ['%', 6],
};

const NOT = 3;
const COMPARISON = 4;
const NEGATION = 7;
const ATOM = 8;

/** An expression as people write it: `price * 0.908`, `price > 100 and channel == 'web'`. */
export function expressionText(node: ExpressionNode): string {
  return render(node).text;
}

interface Rendered {
  readonly text: string;
  readonly strength: number;
}

function render(node: ExpressionNode): Rendered {
  if (node.kind === 'column') return { text: node.path.path, strength: ATOM };
  return node.kind === 'literal' ? renderLiteral(node.value) : renderCall(node);
}

function renderLiteral(value: LiteralValue): Rendered {
  if (value instanceof Date) return { text: Number.isNaN(value.getTime()) ? 'Date(invalid)' : `Date(${value.toISOString()})`, strength: ATOM };
  if (typeof value === 'string') return { text: quoted(value), strength: ATOM };
  if (typeof value !== 'number') return { text: String(value), strength: ATOM };
  const isNegative = value < 0 || Object.is(value, -0);
  return { text: Object.is(value, -0) ? '-0' : String(value), strength: isNegative ? NEGATION : ATOM };
}

function quoted(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll(String.raw`\"`, '"').replaceAll("'", String.raw`\'`)}'`;
}

function renderCall({ operation, operands }: CallNode): Rendered {
  const infix = INFIX[operation];
  const [first, ...rest] = operands as [ExpressionNode, ...ExpressionNode[]];
  if (infix !== undefined) {
    const [sign, strength] = infix;
    // Operations of one strength go from left to right; comparisons in a row would be read wrongly.
    const left = within(first, strength === COMPARISON ? strength + 1 : strength);
    return { text: `${left} ${sign} ${within(rest[0]!, strength + 1)}`, strength };
  }
  switch (operation) {
    case 'not':
      return { text: `not ${within(first, NOT)}`, strength: NOT };
    case 'neg':
      return { text: `-${within(first, ATOM)}`, strength: NEGATION };
    case 'in':
      return { text: `${within(first, COMPARISON + 1)} in [${rest.map(expressionText).join(', ')}]`, strength: COMPARISON };
    case 'between':
      return { text: `${within(first, COMPARISON + 1)} between ${within(rest[0]!, COMPARISON + 1)} and ${within(rest[1]!, COMPARISON + 1)}`, strength: COMPARISON };
    default:
      return { text: `${operation === 'toText' ? 'toString' : operation}(${operands.map(expressionText).join(', ')})`, strength: ATOM };
  }
}

/** The text of an operand, in brackets where it binds less than `least`. */
function within(node: ExpressionNode, least: number): string {
  const { text, strength } = render(node);
  return strength < least ? `(${text})` : text;
}
