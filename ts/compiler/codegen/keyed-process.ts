import type { StageNode } from '../physical-plan.ts';
import type { Scope, SegmentText } from './segment-text.ts';

/** A function with state: key and time go into a batch, the record is kept beside; results enter at this node. */
export function emitKeyedProcess(text: SegmentText, node: StageNode, value: string, scope: Scope, indent: string): string[] {
  const { op } = node;
  if (op.kind !== 'keyedProcess') return [];
  text.stopWhen('ctl.stop');
  const operator = text.bind(`y${node.id}`, `R.keyed[${node.id}]`);
  const writer = text.bind(`w${node.id}`, `R.writers[${node.id}]`);
  return [
    `${indent}op = ${node.id};`,
    `${indent}${operator}.keys.push(${scope.key}); ${operator}.records.push(${value});`,
    text.appendKeyed(node, writer, 'null', value, scope, indent, op.time === 'event' ? scope.time : undefined),
  ];
}
