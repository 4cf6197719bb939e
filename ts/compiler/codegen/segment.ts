import { isFieldPath } from '../../functions/field-path.ts';
import type { Stage, StageNode } from '../physical-plan.ts';
import { emitAggregate, emitAggregateInput, emitKeyedAggregate, emitKeyedInput, emitReduce, hasInput } from './aggregates.ts';
import { type SegmentInput, emitInput } from './segment-input.ts';
import { type EmitChildren, type Scope, SegmentText } from './segment-text.ts';

/** Declarations of what the functions name, each once. */
function declareBindings(...texts: readonly SegmentText[]): string[] {
  return [...new Map(texts.flatMap(({ bindings }) => [...bindings]))].map(([name, value]) => `const ${name} = ${value};`);
}

/** Above this many inlined operators, a node with several parents is called instead of inlined again. */
const MAX_INLINED = 48;

/** After so many results of one record it is asked whether the isolate has to be given back; a power of two. */
const LOOK_EVERY = 32;

/**
 * Emits the one function of a segment: a tree of operators from a root down to its sinks, exchanges and aggregates.
 * The text is the body of `new Function('R', text)`, where `R` is the stage's `SegmentBindings`; it returns
 * `run(source, start, end, keys)`, which gives the number of the first row that it has not taken.
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
    `return (source, start, end, keys) => (${text.numericCondition} ? runNumbers : runAny)(source, start, end, keys);`,
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
    const scope: Scope = { key, pending: [], leave: 'continue', oncePerRow: true };
    const body = this.#children(this.#stage.nodes[this.#root]!, input.record, scope, '      ');
    const lines = [
      'function run(source, start, end, keys) {',
      ...input.prelude.map((line) => `  ${line}`),
      ...text.declarations.map((line) => `  ${line}`),
      `  let i = start, op = ${this.#root};`,
      '  try {',
      '    for (; i < end; i++) {',
      ...input.row.map((line) => `      ${line}`),
      ...(input.key === undefined ? [] : [`      const k = ${input.key};`]),
      `      const v = ${input.record};`,
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

  /** Code that gives `value` to every child of `node`. */
  #children(node: StageNode, value: string, scope: Scope, indent: string): string[] {
    const lines: string[] = [];
    const { children } = node;
    // A value is named before it is used more than once; the root's value has the name `v`.
    const name = /^[A-Za-z_$][\w$]*$/.test(value) ? value : 'v';
    children.forEach((id, n) => {
      const rest = children.slice(n + 1);
      const pending =
        rest.length === 0 ? scope.pending : [...scope.pending, `['children', [${rest.join(', ')}], ${name}, ${scope.key}]`];
      const label = this.text.fresh('b');
      const inner = this.#node(this.#stage.nodes[id]!, name, { ...scope, pending, leave: `break ${label}` }, `${indent}  `);
      lines.push(`${indent}${label}: {`, ...inner, `${indent}}`);
    });
    return lines;
  }

  /** A call of the node's user function. */
  #call(node: StageNode, value: string, scope: Scope, indent: string): { before: string[]; call: string } {
    const { op } = node;
    if (!('fn' in op)) throw new TypeError(`operator '${op.kind}' has no user function`);
    const before: string[] = [];
    const fn = this.text.bind(`f${node.id}`, `R.functions[${node.id}]`);
    if (op.fn.form === 'lambda') return { before, call: `${fn}(${value})` };
    if (scope.key !== undefined) {
      const context = this.text.bind(`x${node.id}`, `R.contexts[${node.id}]`);
      before.push(`${indent}${context}.key = ${scope.key};`);
    }
    return { before, call: `${fn}.execute(${value})` };
  }

  #node(node: StageNode, value: string, scope: Scope, indent: string): string[] {
    const emitted = this.#emitted.get(node.id) ?? 0;
    this.#emitted.set(node.id, emitted + 1);
    if (emitted > 0 && this.#inlined >= MAX_INLINED) return this.#linkedCall(node, value, scope, indent);
    this.#inlined++;
    const { op } = node;
    switch (op.kind) {
      case 'map':
        return this.#map(node, value, scope, indent);
      case 'filter':
        return this.#filter(node, value, scope, indent);
      case 'flatMap':
        return this.#flatMap(node, value, scope, indent);
      case 'keyBy':
        return this.#keyBy(node, value, scope, indent);
      case 'union':
        return this.#children(node, value, { ...scope, key: undefined }, indent);
      case 'reduce':
        return op.keyed ? emitKeyedInput(this.text, node, value, scope, indent) : emitReduce(this.text, node, value, scope, indent, this.#emitChildren);
      case 'aggregate':
        return op.keyed ? emitKeyedAggregate(this.text, node, value, scope, indent) : emitAggregate(this.text, node, value, scope, indent, this.#emitChildren);
      case 'extract': {
        const record = this.text.fresh('e');
        const inputs = Object.values(op.spec).filter(hasInput).map((aggregator) => emitAggregateInput(this.text, node, aggregator, value, indent));
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
        this.text.stopWhen('ctl.stop');
        const writer = this.text.bind(`w${node.id}`, `R.writers[${node.id}]`);
        return [this.text.append(node, writer, value, scope.key, value, indent)];
      }
      default:
        throw new TypeError(`operator '${op.kind}' cannot stand inside a segment`);
    }
  }

  #linkedCall(node: StageNode, value: string, scope: Scope, indent: string): string[] {
    this.text.numericPossible = false;
    const linked = this.text.bind(`l${node.id}`, `R.linked[${node.id}]`);
    const result = this.text.fresh('p');
    return [
      `${indent}op = ${node.id};`,
      ...this.text.onState(`const ${result} = ${linked}.push(${value}, ${scope.key});`, indent),
      `${indent}if (${result} !== undefined) { ctl.suspend(-1, ${result}, undefined, undefined, [${scope.pending.join(', ')}]); return ++i; }`,
    ];
  }

  #map(node: StageNode, value: string, scope: Scope, indent: string): string[] {
    const { before, call } = this.#call(node, value, scope, indent);
    const result = this.text.fresh('v');
    const dropped = this.text.counter(`d${node.id}`, `R.dropped[${node.id}]`);
    return [
      ...before,
      this.text.guarded(node, result, call, value, indent),
      this.text.thenable(node, result, value, scope, indent),
      `${indent}if (${result} === undefined) { ${dropped}++; ${scope.leave}; }`,
      ...this.#children(node, result, scope, indent),
    ];
  }

  #filter(node: StageNode, value: string, scope: Scope, indent: string): string[] {
    const { before, call } = this.#call(node, value, scope, indent);
    const result = this.text.fresh('t');
    const rejected = this.text.counter(`d${node.id}`, `R.dropped[${node.id}]`);
    return [
      ...before,
      this.text.guarded(node, result, call, value, indent),
      `${indent}if (${result} !== true) {`,
      this.text.thenable(node, result, value, scope, `${indent}  `),
      `${indent}  if (!${result}) { ${rejected}++; ${scope.leave}; }`,
      `${indent}}`,
      ...this.#children(node, value, scope, indent),
    ];
  }

  #flatMap(node: StageNode, value: string, scope: Scope, indent: string): string[] {
    const { op } = node;
    if (op.kind !== 'flatMap') return [];
    const { before, call } = this.#call(node, value, scope, indent);
    const result = this.text.fresh('r');
    const index = this.text.fresh('j');
    const item = this.text.fresh('v');
    const emitted = this.text.counter(`e${node.id}`, `R.emitted[${node.id}]`);
    const { key } = scope;
    // Lists are walked in place, for as long as nobody waits for a turn or for room. Everything else (iterators, strings, what collect() took, async iterables) is the
    // linked form's: it can stop half way through an endless iterator until there is room again.
    const resume = (from: string): string => `['items', ${node.id}, ${result}, ${from}, ${key}]`;
    const inner: Scope = { key, pending: [...scope.pending, resume(`${index} + 1`)], leave: 'continue', oncePerRow: false };
    const heldUp = `(${index} & ${LOOK_EVERY - 1}) === ${LOOK_EVERY - 1} && R.isHeldUp()`;
    const collects = op.fn.form !== 'lambda';
    const collected = collects ? this.text.bind(`q${node.id}`, `R.collected[${node.id}]`) : undefined;
    const isPlain = collected === undefined ? `Array.isArray(${result})` : `(Array.isArray(${result}) && ${collected}.length === 0)`;
    const nothing = collected === undefined ? `${result} == null` : `${result} == null && ${collected}.length === 0`;
    return [
      ...before,
      this.text.guarded(node, result, call, value, indent),
      `${indent}if (${isPlain}) {`,
      `${indent}  for (let ${index} = 0; ${index} < ${result}.length; ${index}++) {`,
      `${indent}    if (${heldUp}) { ctl.suspend(-1, R.turn(), undefined, undefined, [${[...scope.pending, resume(index)].join(', ')}]); return ++i; }`,
      `${indent}    const ${item} = ${result}[${index}];`,
      `${indent}    ${emitted}++;`,
      ...this.#children(node, item, inner, `${indent}    `),
      `${indent}  }`,
      `${indent}} else if (!(${nothing})) {`,
      this.text.thenable(node, result, value, scope, `${indent}  `),
      ...this.text.onState(`const p = R.linked[${node.id}].flatten(${result}, ${value}, ${key});`, `${indent}  `),
      `${indent}  if (p !== undefined) { ctl.suspend(-1, p, undefined, undefined, [${scope.pending.join(', ')}]); return ++i; }`,
      `${indent}}`,
    ];
  }

  #keyBy(node: StageNode, value: string, scope: Scope, indent: string): string[] {
    const { op } = node;
    if (op.kind !== 'keyBy') return [];
    const key = this.text.fresh('k');
    const inner: Scope = { ...scope, key };
    if (isFieldPath(op.selector)) {
      const access = op.selector.segments.map((name) => `?.[${JSON.stringify(name)}]`).join('');
      return [
        this.text.guarded(node, key, `${value}${access}`, value, indent),
        // A field that is there with the value undefined is a key; one that is not there is an error.
        `${indent}if (${key} === undefined) ctl.checkKey(${node.id}, ${value});`,
        ...this.#children(node, value, inner, indent),
      ];
    }
    const fn = this.text.bind(`f${node.id}`, `R.functions[${node.id}]`);
    const call = op.selector.form === 'lambda' ? `${fn}(${value})` : `${fn}.execute(${value})`;
    return [
      this.text.guarded(node, key, call, value, indent),
      this.text.thenable(node, key, value, { ...scope, key: undefined }, indent),
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
    if (!lambda && scope.key !== undefined) lines.push(`${indent}${this.text.bind(`x${node.id}`, `R.contexts[${node.id}]`)}.key = ${scope.key};`);
    lines.push(
      this.text.guarded(node, result, lambda ? `${fn}(${value})` : `${fn}.execute(${value})`, value, indent),
      this.text.thenable(node, result, value, scope, indent),
    );
    return lines;
  }
}
