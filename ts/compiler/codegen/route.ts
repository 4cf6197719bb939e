import type { StageNode } from '../physical-plan.ts';
import { emitCall } from './call.ts';
import { type Scope, type SegmentText, pendingChildren, setTime } from './segment-text.ts';

/** Gives the code that hands `value` to nodes, one after the other. */
export type EmitNodes = (nodes: readonly number[], value: string, scope: Scope, indent: string) => string[];

/** A route: single names that have a branch are told apart in place; lists, unknown names and promises are the linked form's. */
export function emitRoute(text: SegmentText, node: StageNode, value: string, scope: Scope, indent: string, nodes: EmitNodes): string[] {
  const { before, call, after } = emitCall(text, node, value, scope, indent);
  const result = text.fresh('r');
  const pushed = text.fresh('p');
  const branches = Map.groupBy(node.sides.filter(({ channel }) => channel === 'branch'), ({ tag }) => tag);
  // Behind its branch the record goes to who takes all of them.
  const pending = node.children.length === 0 ? scope.pending : [...scope.pending, pendingChildren(node.children, value, scope)];
  const { op } = node;
  // `default` is for names without a branch of their own; where there is one, the name itself is none that is known.
  const named = [...branches].filter(([tag]) => op.kind === 'route' && (op.names === undefined || op.names.includes(tag)));
  const lines = [...before, text.guarded(node, result, call, value, scope, indent)];
  let word = 'if';
  for (const [tag, sides] of named) {
    lines.push(
      `${indent}${word} (${result} === ${JSON.stringify(tag)}) {`,
      ...after(result).map((line) => `  ${line}`),
      ...nodes(sides.map((side) => side.node), value, { ...scope, pending }, `${indent}  `),
    );
    word = '} else if';
  }
  lines.push(
    named.length === 0 ? `${indent}{` : `${indent}} else {`,
    text.thenable(node, result, value, scope, `${indent}  `),
    ...text.onState(`${setTime(scope)}const ${pushed} = R.linked[${node.id}].settle(${result}, ${value}, ${scope.key});`, `${indent}  `),
    `${indent}  ${text.suspendLinked(pushed, scope)}`,
    `${indent}  ${scope.leave};`,
    `${indent}}`,
  );
  return [...lines, ...nodes(node.children, value, scope, indent)];
}
