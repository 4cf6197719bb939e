import type { FieldPath } from '../field-path.ts';
import type { OperationName } from './operation.ts';

/** A constant of an expression; dates are copies that nobody else has. */
export type LiteralValue = number | string | boolean | Date | null;

/** The value of a field; `null` where there is none. */
export interface ColumnNode {
  /** Tells the kinds of nodes apart. */
  readonly kind: 'column';
  /** Where the value is. */
  readonly path: FieldPath;
}

/** The same value for each record. */
export interface LiteralNode {
  /** Tells the kinds of nodes apart. */
  readonly kind: 'literal';
  /** The constant. */
  readonly value: LiteralValue;
}

/** An operation on the values of other expressions. */
export interface CallNode {
  /** Tells the kinds of nodes apart. */
  readonly kind: 'call';
  /** What is done. */
  readonly operation: OperationName;
  /** As many as the operation takes; settings such as the unit of `truncate` are literals among them. */
  readonly operands: readonly ExpressionNode[];
}

/** What an expression computes, as a tree that is never changed. */
export type ExpressionNode = ColumnNode | LiteralNode | CallNode;

/** The columns that an expression reads, each as often as it does. */
export function columnsOf(node: ExpressionNode): readonly ColumnNode[] {
  if (node.kind === 'column') return [node];
  return node.kind === 'call' ? node.operands.flatMap(columnsOf) : [];
}

/** The calls of an expression, inner ones first: their places number them for generated code. */
export function callsOf(node: ExpressionNode): readonly CallNode[] {
  return node.kind === 'call' ? [...node.operands.flatMap(callsOf), node] : [];
}

/** The constants of an expression that are dates: their places number them for generated code. */
export function datesOf(node: ExpressionNode): readonly LiteralNode[] {
  if (node.kind === 'literal') return node.value instanceof Date ? [node] : [];
  return node.kind === 'call' ? node.operands.flatMap(datesOf) : [];
}
