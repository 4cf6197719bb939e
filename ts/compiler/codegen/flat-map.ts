import type { StageNode } from '../physical-plan.ts';
import { emitCall, outputsOf } from './call.ts';
import { type EmitChildren, type Scope, type SegmentText, setTime } from './segment-text.ts';

/** After so many results of one record it is asked whether the isolate has to be given back; a power of two. */
const LOOK_EVERY = 32;

/** A `flatMap`, or a `process`, whose results are only what it collects. */
export function emitFlatMap(text: SegmentText, node: StageNode, value: string, scope: Scope, indent: string, children: EmitChildren): string[] {
  const { op } = node;
  if (op.kind !== 'flatMap' && op.kind !== 'process') return [];
  const { before, call, after } = emitCall(text, node, value, scope, indent);
  const result = text.fresh('r');
  const { key, time } = scope;
  const collects = op.fn.form !== 'lambda';
  const collected = collects ? text.bind(`q${node.id}`, `R.collected[${node.id}]`) : undefined;
  const pushed = text.fresh('p');
  const rest = (given: string): string[] => [
    text.thenable(node, result, value, scope, `${indent}  `),
    ...text.onState(`${setTime(scope)}const ${pushed} = R.linked[${node.id}].flatten(${given}, ${value}, ${key});`, `${indent}  `),
    `${indent}  ${text.suspendLinked(pushed, scope)}`,
  ];
  const head = [...before, text.guarded(node, result, call, value, scope, indent)];
  // Side outputs go on with the results: by the linked form, or here where these are all there.
  const outputs = outputsOf(text, node);
  const hasOutputs = outputs === undefined ? '' : ` || ${outputs}.length > 0`;
  if (op.kind === 'process') {
    const isPromise = `typeof ${result} === 'object' && ${result} !== null && typeof ${result}.then === 'function'`;
    return [...head, `${indent}if (${collected}.length > 0${hasOutputs} || (${isPromise})) {`, ...rest('undefined'), `${indent}}`];
  }
  const index = text.fresh('j');
  const item = text.fresh('v');
  const emitted = text.counter(`e${node.id}`, `R.emitted[${node.id}]`);
  // Lists are walked in place, for as long as nobody waits for a turn or for room. Everything else (iterators, strings, what collect() took, async iterables) is the
  // linked form's: it can stop half way through an endless iterator until there is room again.
  const resume = (from: string): string => `['items', ${node.id}, ${result}, ${from}, ${key}${time === undefined ? '' : `, ${time}`}]`;
  const inner: Scope = { key, time, pending: [...scope.pending, resume(`${index} + 1`)], leave: 'continue', oncePerRow: false };
  const heldUp = `(${index} & ${LOOK_EVERY - 1}) === ${LOOK_EVERY - 1} && R.isHeldUp()`;
  const isPlain = collected === undefined ? `Array.isArray(${result})` : `(Array.isArray(${result}) && ${collected}.length === 0)`;
  const nothing = collected === undefined ? `${result} == null` : `${result} == null && ${collected}.length === 0`;
  return [
    ...head,
    `${indent}if (${isPlain}) {`,
    ...after(result).map((line) => `  ${line}`),
    `${indent}  for (let ${index} = 0; ${index} < ${result}.length; ${index}++) {`,
    `${indent}    if (${heldUp}) { ctl.suspend(-1, R.turn(), undefined, undefined, [${[...scope.pending, resume(index)].join(', ')}]); return ++i; }`,
    `${indent}    const ${item} = ${result}[${index}];`,
    `${indent}    ${emitted}++;`,
    ...children(node, item, inner, `${indent}    `),
    `${indent}  }`,
    `${indent}} else if (!(${nothing})${hasOutputs}) {`,
    ...rest(result),
    `${indent}}`,
  ];
}
