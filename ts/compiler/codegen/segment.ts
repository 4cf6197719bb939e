import { isFieldPath } from '../../functions/field-path.ts';
import { Expression } from '../../functions/expressions/expression.ts';
import { isTolerant } from '../../transformations/error-policy.ts';
import { isExpressionNode } from '../op-expressions.ts';
import { type Stage, type StageNode, dropsKey } from '../physical-plan.ts';
import { isUntimedSource } from '../physical/is-untimed-source.ts';
import { emitAggregate, emitAggregateInput, emitKeyedAggregate, emitKeyedInput, emitLinked, emitReduce, hasInput } from './aggregates.ts';
import { emitCall, emitContext, emitOutputs } from './call.ts';
import { emitAssignTimestamps, emitTimedOutput } from './event-time.ts';
import { emitFlatMap } from './flat-map.ts';
import { emitExpressionFilter, emitExpressionKey, emitSelect } from './expression-operators.ts';
import { emitBatch, emitFillFuture, emitGate, emitMapAsync, emitSideOutput, emitZipWithIndex } from './record-operators.ts';
import { type EmitNodes, emitRoute } from './route.ts';
import { type SegmentInput, emitInput } from './segment-input.ts';
import { emitKeyedProcess } from './keyed-process.ts';
import { emitWindow } from './windows.ts';
import { type EmitChildren, type Scope, SegmentText, pendingChildren } from './segment-text.ts';

/** Declarations of what the functions name, each once. */
function declareBindings(...texts: readonly SegmentText[]): string[] {
  return [...new Map(texts.flatMap(({ bindings }) => [...bindings]))].map(([name, value]) => `const ${name} = ${value};`);
}

/** Above this many inlined operators, a node with several parents is called instead of inlined again. */
const MAX_INLINED = 48;

/**
 * Emits the one function of a segment: a tree of operators from a root down to its sinks, exchanges and aggregates.
 * The text is the body of `new Function('R', text)`, where `R` is the stage's `SegmentBindings`; it returns
 * `run(source, start, end, keys, times)`, which gives the number of the first row that it has not taken.
 *
 * @param tag makes the text unique to one pipeline: V8 shares type feedback between equal texts, and two pipelines with
 *            different lambdas would then make each other megamorphic.
 */
export function emitSegment(stage: Stage, root: number, input: SegmentInput, tag: string): string {
  const any = new SegmentEmitter(stage, root, input, false);
  const general = any.emit();
  const { text } = any;
  const head = [`'use strict'; // ${tag}`, 'const ctl = R.control, C = R.counts;'];
  if (!text.numericPays || !text.numericPossible) return [...head, ...declareBindings(text), `return ${general};`].join('\n');
  const numbers = new SegmentEmitter(stage, root, input, true);
  const numeric = numbers.emit();
  return [
    ...head,
    ...declareBindings(text, numbers.text),
    `const runNumbers = ${numeric};`,
    `const runAny = ${general};`,
    `return (source, start, end, keys, times) => (${text.numericCondition} ? runNumbers : runAny)(source, start, end, keys, times);`,
  ].join('\n');
}

class SegmentEmitter {
  readonly text: SegmentText;
  readonly #stage: Stage;
  readonly #root: number;
  readonly #input: SegmentInput;
  readonly #emitted = new Map<number, number>();
  #inlined = 0;

  constructor(stage: Stage, root: number, input: SegmentInput, numeric: boolean) {
    this.#stage = stage;
    this.#root = root;
    this.#input = input;
    this.text = new SegmentText(numeric);
  }

  /** The function `run` as an expression. */
  emit(): string {
    const { text } = this;
    const input = emitInput(this.#input, this.#root);
    const key = input.key === undefined ? undefined : 'k';
    const time = input.time === undefined ? undefined : 't';
    const scope: Scope = { key, time, pending: [], leave: 'continue', oncePerRow: true };
    const body = this.#children(this.#stage.nodes[this.#root]!, input.record, scope, '      ');
    const lines = [
      'function run(source, start, end, keys, times) {',
      ...input.prelude.map((line) => `  ${line}`),
      ...text.declarations.map((line) => `  ${line}`),
      `  let i = start, op = ${this.#root};`,
      '  try {',
      '    for (; i < end; i++) {',
      ...input.row.map((line) => `      ${line}`),
      ...(input.key === undefined ? [] : [`      const k = ${input.key};`]),
      ...(time === undefined ? [] : [`      const t = ${input.time};`]),
      `      const v = ${input.record};`,
      ...(isUntimedSource(this.#stage, this.#root) ? [`      if (v instanceof ctl.Timestamped) ctl.refuseTimestamped(${this.#root}, v);`] : []),
      ...body,
      ...text.stops.map((line) => `      ${line}`),
      '    }',
      '  } catch (error) {',
      '    throw ctl.failed(error, op, source, i);',
      '  } finally {',
      `    C[${this.#root}] += i - start;`,
      ...text.stores.filter((line) => line !== '').map((line) => `    ${line}`),
      '  }',
      '  return i;',
      '}',
    ];
    return text.resolve(lines.join('\n'));
  }

  readonly #emitChildren: EmitChildren = (node, value, scope, indent) => this.#children(node, value, scope, indent);

  readonly #emitNodes: EmitNodes = (nodes, value, scope, indent) => this.#nodes(nodes, value, scope, indent);

  /** Code that gives `value` to every child of `node`. */
  #children(node: StageNode, value: string, scope: Scope, indent: string): string[] {
    // A union with a stream that has no event time has none either.
    const carries = node.op.kind === 'input' || node.operator.timed;
    const keyed = dropsKey(node) ? { ...scope, key: undefined } : scope;
    return this.#nodes(node.children, value, carries ? keyed : { ...keyed, time: undefined }, indent);
  }

  /** Code that gives `value` to nodes, one after the other. */
  #nodes(nodes: readonly number[], value: string, scope: Scope, indent: string): string[] {
    const lines: string[] = [];
    // A value is named before it is used more than once; the root's value has the name `v`.
    const name = /^[A-Za-z_$][\w$]*$/.test(value) ? value : 'v';
    nodes.forEach((id, n) => {
      const rest = nodes.slice(n + 1);
      const pending =
        rest.length === 0 ? scope.pending : [...scope.pending, pendingChildren(rest, name, scope)];
      const label = this.text.fresh('b');
      const inner = this.#node(this.#stage.nodes[id]!, name, { ...scope, pending, leave: `break ${label}` }, `${indent}  `);
      lines.push(`${indent}${label}: {`, ...inner, `${indent}}`);
    });
    return lines;
  }

  #node(node: StageNode, value: string, scope: Scope, indent: string): string[] {
    const emitted = this.#emitted.get(node.id) ?? 0;
    this.#emitted.set(node.id, emitted + 1);
    if (emitted > 0 && this.#inlined >= MAX_INLINED) return emitLinked(this.text, node, value, scope, indent);
    this.#inlined++;
    const { op } = node;
    const { text } = this;
    switch (op.kind) {
      case 'map':
        return this.#map(node, value, scope, indent);
      case 'filter':
        return isExpressionNode(op.fn) ? emitExpressionFilter(text, node, value, scope, indent, this.#emitChildren) : this.#filter(node, value, scope, indent);
      case 'select':
        return emitSelect(text, node, value, scope, indent, this.#emitChildren);
      case 'flatMap':
      case 'process':
        return emitFlatMap(text, node, value, scope, indent, this.#emitChildren);
      case 'mapAsync':
      case 'intervalJoin':
      case 'asOfJoin':
        return emitMapAsync(text, node, value, scope, indent);
      case 'batch':
        return emitBatch(text, node, value, scope, indent, this.#emitChildren);
      case 'dedup':
      case 'sample':
      case 'limit':
        return emitGate(text, node, value, scope, indent, this.#emitChildren);
      case 'zipWithIndex':
        return emitZipWithIndex(text, node, value, scope, indent, this.#emitChildren);
      case 'route':
        return emitRoute(text, node, value, scope, indent, this.#emitNodes);
      case 'sideOutput':
        return emitSideOutput(text, node, value, scope, indent, this.#emitChildren);
      case 'assignTimestamps':
        return emitAssignTimestamps(text, node, value, scope, indent, this.#emitChildren);
      case 'keyBy':
        return this.#keyBy(node, value, scope, indent);
      case 'union':
      case 'rebalance':
      case 'fromFuture':
        return this.#children(node, value, { ...scope, key: undefined }, indent);
      case 'fillFuture':
        return emitFillFuture(text, node, value, scope, indent, this.#emitChildren);
      case 'reduce':
        return op.keyed ? emitKeyedInput(text, node, value, scope, indent) : emitReduce(text, node, value, scope, indent, this.#emitChildren);
      case 'aggregate':
        return op.keyed ? emitKeyedAggregate(text, node, value, scope, indent) : emitAggregate(text, node, value, scope, indent, this.#emitChildren);
      case 'window':
        return emitWindow(text, node, value, scope, indent);
      case 'keyedProcess':
        return emitKeyedProcess(text, node, value, scope, indent);
      case 'extract': {
        const record = text.fresh('e');
        const inputs = Object.values(op.spec).filter(hasInput).map((aggregator) => emitAggregateInput(text, node, aggregator, value, scope, indent));
        return [
          `${indent}op = ${node.id};`,
          ...inputs.flatMap((input) => input.lines),
          `${indent}const ${record} = [${inputs.map((input) => input.name).join(', ')}];`,
          ...this.#children(node, record, scope, indent),
        ];
      }
      case 'sink':
        return this.#sink(node, value, scope, indent);
      case 'output': {
        text.stopWhen('ctl.stop');
        const writer = text.bind(`w${node.id}`, `R.writers[${node.id}]`);
        return [...emitTimedOutput(text, node, scope, indent), text.append(node, writer, value, value, scope, indent)];
      }
      default:
        throw new TypeError(`operator '${op.kind}' cannot stand inside a segment`);
    }
  }

  #map(node: StageNode, value: string, scope: Scope, indent: string): string[] {
    const { before, call, after } = emitCall(this.text, node, value, scope, indent);
    const result = this.text.fresh('v');
    const dropped = this.text.counter(`d${node.id}`, `R.dropped[${node.id}]`);
    return [
      ...before,
      this.text.guarded(node, result, call, value, scope, indent),
      this.text.thenable(node, result, value, scope, indent),
      ...after(result),
      `${indent}if (${result} === undefined) { ${dropped}++; ${scope.leave}; }`,
      ...this.#children(node, result, scope, indent),
    ];
  }

  #filter(node: StageNode, value: string, scope: Scope, indent: string): string[] {
    const { before, call, after } = emitCall(this.text, node, value, scope, indent);
    const result = this.text.fresh('t');
    const rejected = this.text.counter(`d${node.id}`, `R.dropped[${node.id}]`);
    const reject = (indented: string): string => `${indented}if (!${result}) { ${rejected}++; ${scope.leave}; }`;
    return [
      ...before,
      this.text.guarded(node, result, call, value, scope, indent),
      `${indent}if (${result} !== true) {`,
      this.text.thenable(node, result, value, scope, `${indent}  `),
      ...(node.sides.length > 0 ? [] : [reject(`${indent}  `)]),
      `${indent}}`,
      ...after(result),
      ...(node.sides.length > 0 ? [reject(indent)] : []),
      ...this.#children(node, value, scope, indent),
    ];
  }

  #keyBy(node: StageNode, value: string, scope: Scope, indent: string): string[] {
    const { op } = node;
    if (op.kind !== 'keyBy') return [];
    const key = this.text.fresh('k');
    const inner: Scope = { ...scope, key };
    // With a policy a value that cannot be a key is a failure here, where the record is whole, and not wherever the key is first needed.
    const isTolerated = isTolerant(node.operator.transformation.errorPolicy);
    const checkKeyed = (name: string): string[] =>
      isTolerated ? [`${indent}if (typeof ${name} === 'object' || typeof ${name} === 'function' || typeof ${name} === 'symbol') ${this.text.checked(node, `R.checkKeyed(${name});`, value, scope)}`] : [];
    if (isFieldPath(op.selector)) {
      const access = op.selector.segments.map((name) => `?.[${JSON.stringify(name)}]`).join('');
      return [
        this.text.guarded(node, key, `${value}${access}`, value, scope, indent),
        // A field that is there with the value undefined is a key; one that is not there is an error.
        `${indent}if (${key} === undefined) ${this.text.checked(node, `ctl.checkKey(${node.id}, ${value});`, value, scope)}`,
        ...checkKeyed(key),
        ...this.#children(node, value, inner, indent),
      ];
    }
    if (Expression.is(op.selector)) return [...emitExpressionKey(this.text, node, key, value, scope, indent), ...checkKeyed(key), ...this.#children(node, value, inner, indent)];
    const fn = this.text.bind(`f${node.id}`, `R.functions[${node.id}]`);
    const call = op.selector.form === 'lambda' ? `${fn}(${value})` : `${fn}.execute(${value})`;
    return [
      this.text.guarded(node, key, call, value, scope, indent),
      this.text.thenable(node, key, value, { ...scope, key: undefined }, indent),
      ...checkKeyed(key),
      ...this.#children(node, value, inner, indent),
    ];
  }

  #sink(node: StageNode, value: string, scope: Scope, indent: string): string[] {
    const { op } = node;
    if (op.kind !== 'sink') return [];
    const sink = op.sink;
    if (sink.form === 'array') {
      return [`${indent}${this.text.bind(`f${node.id}`, `R.functions[${node.id}]`)}.push(${value});`];
    }
    const fn = this.text.bind(`f${node.id}`, `R.functions[${node.id}]`);
    const lambda = sink.form === 'collect' || sink.form === 'stream' || (sink.form === 'function' && sink.fn.form === 'lambda');
    const result = this.text.fresh('r');
    const lines: string[] = [];
    if (!lambda) lines.push(...emitContext(this.text, node, scope, indent));
    lines.push(
      this.text.guarded(node, result, lambda ? `${fn}(${value})` : `${fn}.execute(${value})`, value, scope, indent),
      this.text.thenable(node, result, value, scope, indent),
      ...emitOutputs(this.text, node, result, value, scope, indent),
    );
    return lines;
  }
}
