import { type BuiltinAggregator, isBuiltinAggregator } from '../../functions/aggregator.ts';
import { isFieldPath } from '../../functions/field-path.ts';
import { Expression } from '../../functions/expressions/expression.ts';
import { isTolerant } from '../../transformations/error-policy.ts';
import type { AnyAggregator } from '../../transformations/aggregate-transformation.ts';
import { runsInCore, takesNumbers } from '../native-aggregates.ts';
import type { AggregatorSpec, StageNode } from '../physical-plan.ts';
import { emitExpression } from './expression.ts';
import { emitBuiltinAggregate } from './builtin-aggregate.ts';
import { type EmitChildren, type Scope, type SegmentText, propertyName, setTime } from './segment-text.ts';

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
      text.guarded(node, result, call, value, scope, indent),
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
    text.guarded(node, result, call, value, scope, `${indent}  `),
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
  const spec = Object.entries(op.spec);
  // With a policy nothing may be left of a record that fails, whichever aggregator it was: the linked form sees to that.
  if (isTolerant(node.operator.transformation.errorPolicy) && spec.some(([, one]) => !isBuiltinAggregator(one))) return emitLinked(text, node, value, scope, indent);
  const state = text.bind(`s${node.id}`, `R.state[${node.id}]`);
  // What can fail comes first.
  const inputs: string[] = [];
  const added: string[] = [];
  const results: string[] = [];
  const custom: string[] = [];
  spec.forEach(([name, aggregator], n) => {
    if (isBuiltinAggregator(aggregator)) {
      const input = hasInput(aggregator) ? emitAggregateInput(text, node, aggregator, value, scope, indent) : undefined;
      const builtin = emitBuiltinAggregate(aggregator.name, `a${node.id}_${n}`, input?.name ?? '0', `${state}.builtin[${n}]`);
      for (const local of builtin.locals) text.state(...local);
      inputs.push(...(input?.lines ?? []));
      added.push(...builtin.add.map((line) => `${indent}${line}`));
      results.push(`${propertyName(name)}: ${builtin.result}`);
    } else {
      const add = text.bind(`g${node.id}_${n}`, `R.aggregators[${node.id}][${n}]`);
      const accumulator = text.fresh('c');
      custom.push(accumulator);
      added.push(text.guarded(node, accumulator, `${state}.custom[${n}] = ${add}.add(${state}.custom[${n}], ${value})`, value, scope, indent));
      results.push(`${propertyName(name)}: ${state}.settled(${n}, ${add}.result(${state}.custom[${n}]))`);
    }
  });
  const lines = [`${indent}op = ${node.id};`, ...inputs, ...added, ...emitChanged(text, node, state, indent)];
  for (const accumulator of custom) {
    lines.push(
      `${indent}if (typeof ${accumulator} === 'object' && ${accumulator} !== null && typeof ${accumulator}.then === 'function') ` +
        text.suspend(node, `${state}.whenSettled()`, value, { ...scope, key: undefined }),
    );
  }
  if (op.emit === 'update') {
    const out = text.fresh('v');
    const result = `{ ${results.join(', ')} }`;
    lines.push(
      custom.length > 0 ? text.guarded(node, out, result, value, scope, indent) : `${indent}const ${out} = ${result};`,
      ...children(node, out, { ...scope, key: undefined }, indent),
    );
  }
  return lines;
}

/** Hands a record to the linked form of a node. */
export function emitLinked(text: SegmentText, node: StageNode, value: string, scope: Scope, indent: string): string[] {
  text.numericPossible = false;
  const pushed = text.fresh('p');
  return [
    `${indent}op = ${node.id};`,
    ...text.onState(`${setTime(scope)}const ${pushed} = ${text.bind(`l${node.id}`, `R.linked[${node.id}]`)}.push(${value}, ${scope.key});`, indent),
    `${indent}${text.suspendLinked(pushed, scope)}`,
  ];
}

/** The value an aggregator takes from a record: a number, or undefined where there is none. */
export function emitAggregateInput(text: SegmentText, node: StageNode, aggregator: BuiltinAggregator<never, unknown>, value: string, scope: Scope, indent: string): { name: string; lines: string[] } {
  const { op } = node;
  const n = Object.values(specOf(op)).indexOf(aggregator);
  const name = text.fresh('x');
  const { input } = aggregator;
  const code = Expression.is(input) ? emitExpression(text, Expression.nodeOf(input), value, { node: node.id, place: n }, true) : undefined;
  const declared = code === undefined || code.declaration === '' ? [] : [`${indent}${code.declaration}`];
  const expression =
    code !== undefined
      ? code.value
      : typeof input === 'function'
        ? `${text.bind(`g${node.id}_${n}`, `R.aggregators[${node.id}][${n}].input`)}(${value})`
        : `${value}${(isFieldPath(input) ? input.segments : []).map((part) => `?.[${JSON.stringify(part)}]`).join('')}`;
  const check = takesNumbers(aggregator)
    ? `if (typeof ${name} !== 'number' && ${name} !== undefined && ${name} !== null) ctl.badInput(${node.id}, ${n}, ${name}, ${value});`
    : '';
  if (isTolerant(node.operator.transformation.errorPolicy)) {
    return { name, lines: [...declared, `${indent}let ${name}; try { ${name} = ${expression}; ${check} } catch (error) { ${text.caught(node, value, scope)} }`] };
  }
  return {
    name,
    lines: [
      ...declared,
      typeof input === 'function' || code !== undefined ? text.guarded(node, name, expression, value, scope, indent) : `${indent}const ${name} = ${expression};`,
      ...(check === '' ? [] : [`${indent}${check}`]),
    ],
  };
}

/** The aggregators of a node. */
export function specOf(op: StageNode['op']): AggregatorSpec {
  if (op.kind === 'aggregate' || op.kind === 'extract') return op.spec;
  if (op.kind === 'window' && op.result.kind === 'aggregate') return op.result.spec;
  throw new TypeError(`operator '${op.kind}' has no aggregators`);
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
  if (op.input === 'extracted') return [...keep, text.appendKeyed(node, writer, value, value, scope, indent)];
  const inputs = Object.values(spec).filter(hasInput).map((aggregator) => emitAggregateInput(text, node, aggregator, value, scope, indent));
  return [
    `${indent}op = ${node.id};`,
    ...inputs.flatMap((input) => input.lines),
    ...keep,
    text.appendKeyed(node, writer, `[${inputs.map((input) => input.name).join(', ')}]`, value, scope, indent),
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
    text.appendKeyed(node, writer, 'null', value, scope, indent),
  ];
}

/** Whether the aggregator reads something from the record. */
export function hasInput(aggregator: AnyAggregator): aggregator is BuiltinAggregator<never, unknown> {
  return isBuiltinAggregator(aggregator) && aggregator.input !== undefined;
}
