import { isExpressionNode } from '../op-expressions.ts';
import type { StageNode } from '../physical-plan.ts';
import { type Scope, type SegmentText, setTime } from './segment-text.ts';

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
  if (op.fn.form === 'lambda') return { before: [], call: op.kind === 'map' && op.takesPair === true ? `${fn}(${value}[0], ${value}[1])` : `${fn}(${value})`, after: () => [] };
  return { before: emitContext(text, node, scope, indent), call: `${fn}.${methodCall(op, value, scope.key)}`, after: (result) => emitOutputs(text, node, result, value, scope, indent) };
}

function methodCall(op: StageNode['op'], value: string, key: string | undefined): string {
  const coInput = 'coInput' in op ? op.coInput : undefined;
  if (coInput === undefined || coInput.takes === 'records') return `execute(${value})`;
  if (coInput.takes === 'broadcast') return `executeBroadcast(${value})`;
  return op.kind === 'map' ? `map${coInput.input}(${value})` : `execute(${value}, ${key}, ${coInput.input})`;
}

/** Sets what `ctx` of a class says of the record at hand. */
export function emitContext(text: SegmentText, node: StageNode, { key, time }: Scope, indent: string): string[] {
  // Inputs that share an instance share its context: what one of them has not, is not what another one had.
  const coInput = 'coInput' in node.op ? node.op.coInput : undefined;
  const isShared = coInput !== undefined;
  if (!isShared && key === undefined && time === undefined) return [];
  const context = text.bind(`x${node.id}`, `R.contexts[${node.id}]`);
  if (isShared) {
    const { takes } = coInput;
    const begin = takes === undefined ? '' : ` ${context}.broadcast.begin(${takes === 'broadcast'});`;
    return [`${indent}${context}.key = ${key}; ${context}.timestamp = ${time};${begin}`];
  }
  return [...(key === undefined ? [] : [`${indent}${context}.key = ${key};`]), ...(time === undefined ? [] : [`${indent}${context}.timestamp = ${time};`])];
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
    ...text.onState(`${setTime(scope)}const ${pushed} = R.linked[${node.id}].sendOutputs();`, `${indent}  `),
    `${indent}  if (${pushed} !== undefined) { ctl.suspend(-1, ${pushed}.then(() => R.linked[${node.id}].settle(${result}, ${value}, ${scope.key})), undefined, undefined, [${scope.pending.join(', ')}]); return ++i; }`,
    `${indent}}`,
  ];
}
