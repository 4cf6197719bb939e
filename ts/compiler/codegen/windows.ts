import type { StageNode } from '../physical-plan.ts';
import { windowKeeper } from '../windows.ts';
import { emitAggregateInput, hasInput } from './aggregates.ts';
import type { Scope, SegmentText } from './segment-text.ts';

/** Windows: key, time and what the core needs go into a batch; records stay in JavaScript where somebody will ask for them. */
export function emitWindow(text: SegmentText, node: StageNode, value: string, scope: Scope, indent: string): string[] {
  const { op } = node;
  if (op.kind !== 'window') return [];
  text.stopWhen('ctl.stop');
  const windows = text.bind(`y${node.id}`, `R.keyed[${node.id}]`);
  const writer = text.bind(`w${node.id}`, `R.writers[${node.id}]`);
  const inCore = op.result.kind === 'aggregate' && windowKeeper(op.result, op.settings) === 'core';
  const time = op.time === 'event' ? scope.time : undefined;
  if (op.input === 'extracted') return [text.appendKeyed(node, writer, value, value, scope, indent, time)];
  const inputs = inCore && op.result.kind === 'aggregate' ? Object.values(op.result.spec).filter(hasInput).map((aggregator) => emitAggregateInput(text, node, aggregator, value, scope, indent)) : [];
  const keep = inCore && op.settings.lateTag === undefined ? [] : [`${indent}${windows}.keys.push(${scope.key}); ${windows}.records.push(${value});`];
  const row = inCore ? `[${inputs.map((input) => input.name).join(', ')}]` : 'null';
  return [`${indent}op = ${node.id};`, ...inputs.flatMap((input) => input.lines), ...keep, text.appendKeyed(node, writer, row, value, scope, indent, time)];
}
