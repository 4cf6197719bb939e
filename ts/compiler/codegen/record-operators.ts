import type { StageNode } from '../physical-plan.ts';
import { emitTimeOf } from './event-time.ts';
import type { EmitChildren, Scope, SegmentText } from './segment-text.ts';

/** A `dedup`, `sample` or `limit`: an object decides which records pass. */
export function emitGate(text: SegmentText, node: StageNode, value: string, scope: Scope, indent: string, children: EmitChildren): string[] {
  const gate = text.bind(`n${node.id}`, `R.gates[${node.id}]`);
  const passes = text.fresh('t');
  const rejected = text.counter(`d${node.id}`, `R.dropped[${node.id}]`);
  // A limit that has been reached ends the call, so that its source is not asked once more.
  if (node.op.kind === 'limit') text.stopWhen('ctl.stop');
  return [
    text.guarded(node, passes, `${gate}.passes(${value}, ${scope.key})`, value, scope, indent),
    `${indent}if (!${passes}) { ${rejected}++; ${scope.leave}; }`,
    ...children(node, value, scope, indent),
  ];
}

/** The way back of a loop; behind limits that have been reached nothing goes around any more. */
export function emitFillFuture(text: SegmentText, node: StageNode, value: string, scope: Scope, indent: string, children: EmitChildren): string[] {
  const gate = text.bind(`n${node.id}`, `R.gates[${node.id}]`);
  const rejected = text.counter(`d${node.id}`, `R.dropped[${node.id}]`);
  return [`${indent}if (!${gate}.passes()) { ${rejected}++; ${scope.leave}; }`, ...children(node, value, { ...scope, key: undefined }, indent)];
}

/** A `zipWithIndex`. */
export function emitZipWithIndex(text: SegmentText, node: StageNode, value: string, scope: Scope, indent: string, children: EmitChildren): string[] {
  const index = text.bind(`n${node.id}`, `R.indexes[${node.id}]`);
  const pair = text.fresh('v');
  return [`${indent}const ${pair} = [${value}, ${index}.next++];`, ...children(node, pair, scope, indent)];
}

/** A `batch`: a full one goes on at once; what closes by time or at the end enters at this node. */
export function emitBatch(text: SegmentText, node: StageNode, value: string, scope: Scope, indent: string, children: EmitChildren): string[] {
  const { op } = node;
  if (op.kind !== 'batch') return [];
  text.stopWhen('ctl.stop');
  const batches = text.bind(`n${node.id}`, `R.batches[${node.id}]`);
  const full = text.fresh('v');
  const emitted = text.counter(`e${node.id}`, `R.emitted[${node.id}]`);
  return [
    ...emitTimeOf(scope, indent),
    text.guarded(node, full, `${batches}.add(${value}, ${scope.key})`, value, scope, indent),
    `${indent}if (${full} !== undefined) {`,
    `${indent}  ${emitted}++;`,
    ...children(node, full, { ...scope, key: op.keyed ? scope.key : undefined, time: scope.time === undefined ? undefined : `${batches}.time` }, `${indent}  `),
    `${indent}}`,
  ];
}

/** A `mapAsync` begins the call, an interval join looks for partners; results enter at this node. */
export function emitMapAsync(text: SegmentText, node: StageNode, value: string, scope: Scope, indent: string): string[] {
  text.stopWhen('ctl.stop');
  return [`${indent}op = ${node.id};`, ...emitTimeOf(scope, indent), `${indent}${text.bind(`n${node.id}`, `R.holders[${node.id}]`)}.submit(${value}, ${scope.key});`];
}

/** What comes out of the operator above beside its results; only a branch hands the key on. */
export function emitSideOutput(text: SegmentText, node: StageNode, value: string, scope: Scope, indent: string, children: EmitChildren): string[] {
  const { op } = node;
  if (op.kind !== 'sideOutput') return [];
  const taken = text.counter(`c${node.id}`, `R.counts[${node.id}]`);
  return [`${indent}${taken}++;`, ...children(node, value, { ...scope, key: op.channel === 'branch' ? scope.key : undefined }, indent)];
}
