import { isFieldPath } from '../../functions/field-path.ts';
import { givenTimestamp } from '../../functions/timestamped.ts';
import type { StageNode } from '../physical-plan.ts';
import { type EmitChildren, type Scope, type SegmentText, setTime } from './segment-text.ts';

/**
 * An `assignTimestamps`. A timestamp in its place costs two comparisons; what is new, late or wrong is the assigner's: one that is
 * behind the watermark has to find below what the records before it have made of event time.
 */
export function emitAssignTimestamps(text: SegmentText, node: StageNode, value: string, scope: Scope, indent: string, children: EmitChildren): string[] {
  const { op } = node;
  if (op.kind !== 'assignTimestamps') return [];
  const { selector, settings } = op;
  const assigner = text.bind(`a${node.id}`, `R.assigners[${node.id}]`);
  const max = text.state(`m${node.id}`, `${assigner}.max`, `${assigner}.max = $;`);
  const limit = text.state(`ahead${node.id}`, `${assigner}.limitMs()`, '');
  const time = text.fresh('t');
  const given = isFieldPath(selector)
    ? `${value}${selector.segments.map((name) => `?.[${JSON.stringify(name)}]`).join('')}`
    : `${text.bind(`f${node.id}`, `R.functions[${node.id}]`)}(${value}, ${scope.time})`;
  const record = selector === givenTimestamp ? text.fresh('w') : value;
  const unwrapped = record === value ? [] : [`${indent}const ${record} = ${assigner}.recordWithin(${value});`];
  const counted = settings.idleMs === undefined ? [] : [`${indent}${text.counter(`r${node.id}`, `${assigner}.records`)}++;`];
  const failed = text.caught(node, value, scope);
  const note = [...text.onState(`try { ${assigner}.note(${time}); } catch (error) { ${failed} }`, `${indent}  `)];
  return [
    `${indent}op = ${node.id};`,
    `${indent}let ${time}; try { ${time} = ${given}; ${settings.unit === undefined ? `if (typeof ${time} !== 'number') ` : ''}${time} = ${assigner}.number(${time}); } catch (error) { ${failed} }`,
    `${indent}if (${time} > ${max} && ${time} <= ${limit}) ${max} = ${time};`,
    `${indent}else if (!(${time} <= ${max} && ${time} >= ${max} - ${settings.outOfOrdernessMs})) {`,
    ...note,
    `${indent}}`,
    ...counted,
    ...unwrapped,
    ...children(node, record, { ...scope, time }, indent),
  ];
}

/** Before a record that is late goes to an exchange, the watermark has to go. */
export function emitTimedOutput(text: SegmentText, node: StageNode, scope: Scope, indent: string): string[] {
  if (node.op.kind !== 'output' || !node.op.timed) return [];
  const output = text.bind(`z${node.id}`, `R.timedOutputs[${node.id}]`);
  const waiting = text.state(`p${node.id}`, `${output}.waiting`, '');
  return [`${indent}if (${scope.time} < ${waiting}) { ${output}.send(); ${waiting} = -Infinity; }`];
}

/** For operators that keep records back: they read the time of a record from the control. */
export function emitTimeOf(scope: Scope, indent: string): string[] {
  return scope.time === undefined ? [] : [`${indent}${setTime(scope).trimEnd()}`];
}
