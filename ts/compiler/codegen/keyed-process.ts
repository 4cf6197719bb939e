import type { StageNode } from '../physical-plan.ts';
import type { Scope, SegmentText } from './segment-text.ts';

/**
 * A function with state: key and time go into a batch, the record is kept beside; results enter at this node. Of several inputs all go to the
 * operator of the first one; a broadcast record has no key, and waits beside the batch.
 */
export function emitKeyedProcess(text: SegmentText, node: StageNode, value: string, scope: Scope, indent: string): string[] {
  const { op } = node;
  if (op.kind !== 'keyedProcess') return [];
  text.stopWhen('ctl.stop');
  const { coInput } = op;
  const owner = coInput?.owner ?? node.id;
  const operator = text.bind(`y${owner}`, `R.keyed[${owner}]`);
  const time = op.time === 'event' ? scope.time : undefined;
  if (coInput?.takes === 'broadcast') return [`${indent}op = ${node.id};`, `${indent}${operator}.addBroadcast(${value}, ${time});`];
  const writer = text.bind(`w${owner}`, `R.writers[${owner}]`);
  const input = coInput === undefined || coInput.takes !== undefined ? '' : ` ${operator}.inputs.push(${coInput.input});`;
  return [
    `${indent}op = ${node.id};`,
    `${indent}${operator}.keys.push(${scope.key}); ${operator}.records.push(${value});${input}`,
    text.appendKeyed(node, writer, 'null', value, scope, indent, time),
  ];
}
