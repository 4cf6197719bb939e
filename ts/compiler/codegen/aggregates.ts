import { type BuiltinAggregator, isBuiltinAggregator } from '../../functions/aggregator.ts';
import type { AnyAggregator } from '../../transformations/aggregate-transformation.ts';
import { runsInCore, takesNumbers } from '../native-aggregates.ts';
import type { StageNode } from '../physical-plan.ts';
import { emitBuiltinAggregate } from './builtin-aggregate.ts';
import { type EmitChildren, type Scope, type SegmentText, propertyName } from './segment-text.ts';

/** Unkeyed reduce: the accumulator is a local of the function while it runs. */
export function emitReduce(text: SegmentText, node: StageNode, value: string, scope: Scope, indent: string, children: EmitChildren): string[] {
  const { op } = node;
  if (op.kind !== 'reduce') return [];
  const state = text.bind(`s${node.id}`, `R.state[${node.id}]`);
  const fn = text.bind(`f${node.id}`, `R.functions[${node.id}]`);
  const acc = `a${node.id}`;
  const call = op.fn.form === 'lambda' ? `${fn}(${acc}, ${value})` : `${fn}.execute(${acc}, ${value})`;
  const result = text.fresh('v');
  const update = (reduced: string): string[] => {
    if (op.emit !== 'update') return [];
    const out = text.fresh('v');
    return [`${indent}const ${out} = ${reduced};`, ...children(node, out, { ...scope, key: undefined }, indent)];
  };
  if (text.numeric) {
    // A result of another kind is kept aside and ends the call: the next one runs the form for any kind.
    // The linked form may work on the state in between: it is then read again, whatever it has become.
    const wide = text.state(`w${node.id}`, `typeof ${state}.value === 'number' ? NONE : ${state}.value`, '');
    text.state(acc, `${wide} === NONE ? +${state}.value : 0`, `${state}.value = ${wide} === NONE ? $ : ${wide};`);
    text.bind('NONE', 'Symbol()');
    return [
      text.guarded(node, result, call, value, indent),
      `${indent}if (typeof ${result} === 'number') ${acc} = ${result}; else {`,
      text.thenable(node, result, value, scope, `${indent}  `),
      `${indent}  ${wide} = ${result}; end = i;`,
      `${indent}}`,
      ...emitChanged(text, node, state, indent),
      ...update(result),
    ];
  }
  text.numericPays = true;
  if (!scope.oncePerRow) text.numericPossible = false;
  text.needsNumber(state);
  const has = text.state(`h${node.id}`, `${state}.has`, `${state}.has = $;`);
  text.state(acc, `${state}.value`, `${state}.value = $;`);
  return [
    `${indent}if (${has}) {`,
    text.guarded(node, result, call, value, `${indent}  `),
    text.thenable(node, result, value, scope, `${indent}  `),
    `${indent}  ${acc} = ${result};`,
    `${indent}} else { ${acc} = ${value}; ${has} = true; }`,
    ...emitChanged(text, node, state, indent),
    ...update(acc),
  ];
}

/** With `emit: { everyMs }`: notes that there will be something to emit. */
function emitChanged(text: SegmentText, node: StageNode, state: string, indent: string): string[] {
  if (!('emit' in node.op) || typeof node.op.emit !== 'object') return [];
  const changed = `m${node.id}`;
  text.state(changed, `${state}.changed`, `${state}.changed = $;`);
  return [`${indent}${changed} = true;`];
}

/** Unkeyed aggregate: built-in ones as local numbers, others through their object. */
export function emitAggregate(text: SegmentText, node: StageNode, value: string, scope: Scope, indent: string, children: EmitChildren): string[] {
  const { op } = node;
  if (op.kind !== 'aggregate') return [];
  const state = text.bind(`s${node.id}`, `R.state[${node.id}]`);
  const lines = [`${indent}op = ${node.id};`];
  const results: string[] = [];
  const custom: string[] = [];
  Object.entries(op.spec).forEach(([name, aggregator], n) => {
    if (isBuiltinAggregator(aggregator)) {
      const input = hasInput(aggregator) ? emitAggregateInput(text, node, aggregator, value, indent) : undefined;
      const builtin = emitBuiltinAggregate(aggregator.name, `a${node.id}_${n}`, input?.name ?? '0', `${state}.builtin[${n}]`);
      for (const local of builtin.locals) text.state(...local);
      lines.push(...(input?.lines ?? []), ...builtin.add.map((line) => `${indent}${line}`));
      results.push(`${propertyName(name)}: ${builtin.result}`);
    } else {
      const add = text.bind(`g${node.id}_${n}`, `R.aggregators[${node.id}][${n}]`);
      const added = text.fresh('c');
      custom.push(added);
      lines.push(text.guarded(node, added, `${state}.custom[${n}] = ${add}.add(${state}.custom[${n}], ${value})`, value, indent));
      results.push(`${propertyName(name)}: ${state}.settled(${n}, ${add}.result(${state}.custom[${n}]))`);
    }
  });
  lines.push(...emitChanged(text, node, state, indent));
  for (const added of custom) {
    lines.push(
      `${indent}if (typeof ${added} === 'object' && ${added} !== null && typeof ${added}.then === 'function') ` +
        text.suspend(node, `Promise.all(${state}.custom)`, value, { ...scope, key: undefined }),
    );
  }
  if (op.emit === 'update') {
    const out = text.fresh('v');
    const result = `{ ${results.join(', ')} }`;
    lines.push(
      custom.length > 0 ? text.guarded(node, out, result, value, indent) : `${indent}const ${out} = ${result};`,
      ...children(node, out, { ...scope, key: undefined }, indent),
    );
  }
  return lines;
}

/** The value an aggregator takes from a record: a number, or undefined where there is none. */
export function emitAggregateInput(text: SegmentText, node: StageNode, aggregator: BuiltinAggregator<never, unknown>, value: string, indent: string): { name: string; lines: string[] } {
  const { op } = node;
  if (op.kind !== 'aggregate' && op.kind !== 'extract') throw new TypeError('only aggregates have inputs');
  const n = Object.values(op.spec).indexOf(aggregator);
  const name = text.fresh('x');
  const { input } = aggregator;
  const expression =
    typeof input === 'function'
      ? `${text.bind(`g${node.id}_${n}`, `R.aggregators[${node.id}][${n}].input`)}(${value})`
      : `${value}${(input?.segments ?? []).map((part) => `?.[${JSON.stringify(part)}]`).join('')}`;
  return {
    name,
    lines: [
      typeof input === 'function' ? text.guarded(node, name, expression, value, indent) : `${indent}const ${name} = ${expression};`,
      ...(takesNumbers(aggregator)
        ? [`${indent}if (typeof ${name} !== 'number' && ${name} !== undefined && ${name} !== null) ctl.badInput(${node.id}, ${n}, ${name}, ${value});`]
        : []),
    ],
  };
}

/** Keyed aggregate in the core: the key and the inputs go into a batch. */
export function emitKeyedAggregate(text: SegmentText, node: StageNode, value: string, scope: Scope, indent: string): string[] {
  const { op } = node;
  if (op.kind !== 'aggregate') return [];
  const { spec } = op;
  if (!runsInCore(spec, op.emit)) return emitKeyedInput(text, node, value, scope, indent);
  text.stopWhen('ctl.stop');
  const writer = text.bind(`w${node.id}`, `R.writers[${node.id}]`);
  const keep = op.emit === 'update' ? [`${indent}${text.bind(`y${node.id}`, `R.keyed[${node.id}]`)}.keys.push(${scope.key});`] : [];
  if (op.input === 'extracted') return [...keep, text.append(node, writer, value, scope.key, value, indent)];
  const inputs = Object.values(spec).filter(hasInput).map((aggregator) => emitAggregateInput(text, node, aggregator, value, indent));
  return [
    `${indent}op = ${node.id};`,
    ...inputs.flatMap((input) => input.lines),
    ...keep,
    text.append(node, writer, `[${inputs.map((input) => input.name).join(', ')}]`, scope.key, value, indent),
  ];
}

/** Keyed reduce or user aggregator: the core finds the slots of a batch of keys, JavaScript accumulates. */
export function emitKeyedInput(text: SegmentText, node: StageNode, value: string, scope: Scope, indent: string): string[] {
  text.stopWhen('ctl.stop');
  const keyed = text.bind(`y${node.id}`, `R.keyed[${node.id}]`);
  const writer = text.bind(`w${node.id}`, `R.writers[${node.id}]`);
  return [
    `${indent}${keyed}.keys.push(${scope.key}); ${keyed}.records.push(${value});`,
    // Only the key is encoded; the record itself stays in JavaScript.
    text.append(node, writer, 'null', scope.key, value, indent),
  ];
}

/** Whether the aggregator reads something from the record. */
export function hasInput(aggregator: AnyAggregator): aggregator is BuiltinAggregator<never, unknown> {
  return isBuiltinAggregator(aggregator) && aggregator.input !== undefined;
}
