import type { AnyExpression } from './expression-types.ts';
import { Expression } from './expression.ts';
import type { ExpressionNode } from './expression-node.ts';
import { kindOf, scalarOperation } from './scalar-operation.ts';

/** An expression as a function of a record. It throws SAGE_EXPRESSION_VALUE at a record that it cannot take. */
export type Evaluate = (record: unknown) => unknown;

const evaluators = new WeakMap<AnyExpression, Evaluate>();

/** {@link linkExpression} of an expression, once. */
export function evaluatorOf(expression: AnyExpression): Evaluate {
  let evaluate = evaluators.get(expression);
  if (evaluate === undefined) evaluators.set(expression, (evaluate = linkExpression(Expression.nodeOf(expression))));
  return evaluate;
}

/**
 * An expression as a tree of closures: the form that runs where code cannot be generated, and for records that something else had to be
 * awaited for.
 */
export function linkExpression(node: ExpressionNode): Evaluate {
  if (node.kind === 'literal') return () => node.value;
  if (node.kind === 'column') return (record) => readColumn(node.path.segments, record);
  const operands = node.operands.map(linkExpression);
  const apply = scalarOperation(node);
  const [first, second, third] = operands as [Evaluate, Evaluate, Evaluate];
  switch (node.operation) {
    // These look at an operand only when the ones before leave it open.
    case 'and':
      return (record) => {
        const left = first(record);
        return left === false ? false : apply(left, second(record));
      };
    case 'or':
      return (record) => {
        const left = first(record);
        return left === true ? true : apply(left, second(record));
      };
    case 'cond':
      return (record) => (apply(first(record), true, false) === true ? second(record) : third(record));
    case 'coalesce':
      return (record) => {
        for (const operand of operands) {
          const value = operand(record);
          if (value !== null) return value;
        }
        return null;
      };
    default:
      return (record) => apply(...operands.map((operand) => operand(record)));
  }
}

/** The value of a field, `null` where the record has none: names below what is no object, and methods, are no fields. */
export function readColumn(segments: readonly string[], record: unknown): unknown {
  let value = record;
  for (const segment of segments) value = readField(value, segment);
  return kindOf(value) === 'null' ? null : value;
}

/** A field of an object; undefined for everything that has no fields. */
export function readField(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  if (name === '__proto__') return Object.hasOwn(value, name) ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
