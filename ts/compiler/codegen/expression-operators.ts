import { Expression } from '../../functions/expressions/expression.ts';
import { isExpressionNode } from '../op-expressions.ts';
import type { StageNode } from '../physical-plan.ts';
import { emitExpression } from './expression.ts';
import { type EmitChildren, propertyName, type Scope, type SegmentText } from './segment-text.ts';

/** A filter by an expression: true passes, false and null do not. */
export function emitExpressionFilter(text: SegmentText, node: StageNode, value: string, scope: Scope, indent: string, children: EmitChildren): string[] {
  const { op } = node;
  if (op.kind !== 'filter' || !isExpressionNode(op.fn)) return [];
  const code = emitExpression(text, op.fn, value, { node: node.id, place: 0 }, false);
  const result = text.fresh('t');
  const rejected = text.counter(`d${node.id}`, `R.dropped[${node.id}]`);
  return [
    ...declared(code.declaration, indent),
    text.guarded(node, result, code.value, value, scope, indent),
    `${indent}if (${result} !== true) { ${rejected}++; ${scope.leave}; }`,
    ...children(node, value, scope, indent),
  ];
}

/** A `select` or `withColumn`: one object literal. */
export function emitSelect(text: SegmentText, node: StageNode, value: string, scope: Scope, indent: string, children: EmitChildren): string[] {
  const { op } = node;
  if (op.kind !== 'select') return [];
  const columns = op.columns.map(([name, expression], place) => {
    const code = emitExpression(text, Expression.nodeOf(expression), value, { node: node.id, place }, true);
    return { ...code, field: `${propertyName(name)}: ${code.value}` };
  });
  const record = text.fresh('v');
  const fields = columns.map(({ field }) => field).join(', ');
  const lines = columns.flatMap(({ declaration }) => declared(declaration, indent));
  if (!op.keepsOthers) lines.push(text.guarded(node, record, `{ ${fields} }`, value, scope, indent));
  else {
    const isObject = `typeof ${value} === 'object' && ${value} !== null && !Array.isArray(${value}) && !(${value} instanceof Date)`;
    const check = text.bind('checkRecord', 'R.checkRecord');
    lines.push(text.guarded(node, record, `(${isObject} || ${check}(${value}), { ...${value}, ${fields} })`, value, scope, indent));
  }
  return [...lines, ...children(node, record, scope, indent)];
}

/** The key of a `keyBy` with an expression; null is a key. */
export function emitExpressionKey(text: SegmentText, node: StageNode, key: string, value: string, scope: Scope, indent: string): string[] {
  const { op } = node;
  if (op.kind !== 'keyBy' || !Expression.is(op.selector)) return [];
  const code = emitExpression(text, Expression.nodeOf(op.selector), value, { node: node.id, place: 0 }, true);
  return [...declared(code.declaration, indent), text.guarded(node, key, code.value, value, scope, indent)];
}

function declared(declaration: string, indent: string): string[] {
  return declaration === '' ? [] : [`${indent}${declaration}`];
}
