import { isExpressionNode } from '../op-expressions.ts';
import type { StageNode } from '../physical-plan.ts';
import type { Scope, SegmentText } from './segment-text.ts';

/** A call of a node's user function: what stands before it, the expression, and what follows once its result has a name. */
export interface CallText {
  readonly before: readonly string[];
  readonly call: string;
  readonly after: (result: string) => readonly string[];
}

/** A call of the node's user function with one record. */
export function emitCall(text: SegmentText, node: StageNode, value: string, scope: Scope, indent: string): CallText {
  const { op } = node;
  if (!('fn' in op) || isExpressionNode(op.fn)) throw new TypeError(`operator '${op.kind}' has no user function`);
  const fn = text.bind(`f${node.id}`, `R.functions[${node.id}]`);
  if (op.fn.form === 'lambda') return { before: [], call: `${fn}(${value})`, after: () => [] };
  const before: string[] = [];
  if (scope.key !== undefined) {
    const context = text.bind(`x${node.id}`, `R.contexts[${node.id}]`);
    before.push(`${indent}${context}.key = ${scope.key};`);
  }
  return { before, call: `${fn}.execute(${value})`, after: (result) => emitOutputs(text, node, result, value, scope, indent) };
}

/** The function's waiting side outputs, where somebody takes them. */
export function outputsOf(text: SegmentText, node: StageNode): string | undefined {
  return node.sides.some(({ channel }) => channel === 'output') ? text.bind(`o${node.id}`, `R.outputs[${node.id}]`) : undefined;
}

/** Sends what the function gave to side outputs, before the row goes on. Its result is no promise, so that the call has not failed. */
export function emitOutputs(text: SegmentText, node: StageNode, result: string, value: string, scope: Scope, indent: string): readonly string[] {
  const waiting = outputsOf(text, node);
  if (waiting === undefined) return [];
  const pushed = text.fresh('p');
  return [
    `${indent}if (${waiting}.length > 0) {`,
    ...text.onState(`const ${pushed} = R.linked[${node.id}].sendOutputs();`, `${indent}  `),
    `${indent}  if (${pushed} !== undefined) { ctl.suspend(-1, ${pushed}.then(() => R.linked[${node.id}].settle(${result}, ${value}, ${scope.key})), undefined, undefined, [${scope.pending.join(', ')}]); return ++i; }`,
    `${indent}}`,
  ];
}
