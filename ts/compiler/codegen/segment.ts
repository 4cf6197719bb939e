import { type BuiltinAggregator, isBuiltinAggregator } from '../../functions/aggregator.ts';
import { isFieldPath } from '../../functions/field-path.ts';
import type { AnyAggregator } from '../../transformations/aggregate-transformation.ts';
import type { BatchPlan } from '../layout/batch-plan.ts';
import type { Stage, StageNode } from '../physical-plan.ts';
import { runsInCore, takesNumbers } from '../native-aggregates.ts';
import { emitDecoder, emitTupleColumns } from './decoder.ts';
import { emitBuiltinAggregate } from './builtin-aggregate.ts';

/**
 * Where the records of a segment come from.
 *
 * - `array`: `source` is an array; rows `start .. end` of it
 * - `iterator`: `source` is a synchronous iterator
 * - `function`: `source()` gives a record, `undefined` for nothing now, `END` for the end; `batch`: null or undefined for the end
 * - `batch`: `source` is a `BatchReader` with an image of layout `plan`
 * - `results`: a `BatchReader` with results of a native aggregate, one column each of `names`; the key is in the image
 * - `running`: the same, with the keys in the array `keys`
 */
export type SegmentInput =
  | { readonly kind: 'array' | 'iterator' }
  | { readonly kind: 'function'; readonly ends: 'source' | 'batch' }
  | { readonly kind: 'batch'; readonly plan: BatchPlan; readonly missing: boolean }
  | { readonly kind: 'results' | 'running'; readonly plan: BatchPlan; readonly names: readonly string[]; readonly keyed: boolean };

/** Above this many inlined operators, a node with several parents is called instead of inlined again. */
const MAX_INLINED = 48;

/**
 * Emits the one function of a segment: a tree of operators from a root down to its sinks, exchanges and aggregates.
 * The text is the body of `new Function('R', text)`, where `R` is the stage's `SegmentBindings`; it returns
 * `run(source, start, end, keys)`, which gives the number of the first row that it has not taken.
 *
 * @param tag makes the text unique to one pipeline: V8 shares type feedback between equal texts, and two pipelines with
 *            different lambdas would then make each other megamorphic.
 */
export function emitSegment(stage: Stage, root: number, input: SegmentInput, tag: string): string {
  return new SegmentEmitter(stage, root, input).emit(tag);
}

/**
 * Marks where the linked form takes over in the middle of a call: it works on the stage's state itself, of which this call
 * holds a part in locals. The marks are replaced when all locals are known.
 */
const SAVE_STATE = '/* save state */';
const LOAD_STATE = '/* load state */';

interface Scope {
  /** Expression of the key here, if there is one. */
  readonly key: string | undefined;
  /** What still has to be done for this row after the code at hand, innermost last; each the text of one entry. */
  readonly pending: readonly string[];
  /** Statement that ends the work for this value and goes on with what is pending. */
  readonly leave: string;
}

class SegmentEmitter {
  readonly #stage: Stage;
  readonly #root: number;
  readonly #input: SegmentInput;
  readonly #bindings = new Map<string, string>();
  readonly #locals = new Map<string, string>();
  readonly #stores = new Map<string, string>();
  readonly #emitted = new Map<number, number>();
  #names = 0;
  #inlined = 0;
  #stops = false;

  constructor(stage: Stage, root: number, input: SegmentInput) {
    this.#stage = stage;
    this.#root = root;
    this.#input = input;
  }

  emit(tag: string): string {
    const decoded = this.#decode();
    const body = this.#children(this.#stage.nodes[this.#root]!, decoded.record, { key: decoded.key === undefined ? undefined : 'k', pending: [], leave: 'continue' }, '      ');
    const keyLine = decoded.key === undefined ? [] : [`      const k = ${decoded.key};`];
    const loop = [
      ...decoded.row.map((line) => `      ${line}`),
      ...keyLine,
      `      const v = ${decoded.record};`,
      ...body,
      ...(this.#stops ? ['      if (ctl.stop) { i++; break; }'] : []),
    ];
    const text = [
      `'use strict'; // ${tag}`,
      'const ctl = R.control, C = R.counts;',
      ...[...this.#bindings].map(([name, text]) => `const ${name} = ${text};`),
      'return function run(source, start, end, keys) {',
      ...decoded.prelude.map((line) => `  ${line}`),
      ...[...this.#locals].map(([name, text]) => `  let ${name} = ${text};`),
      `  let i = start, op = ${this.#root};`,
      '  try {',
      `    for (; i < end; i++) {`,
      ...loop,
      '    }',
      '  } catch (error) {',
      '    throw ctl.failed(error, op, source, i);',
      '  } finally {',
      `    C[${this.#root}] += i - start;`,
      ...[...this.#stores].map(([name, text]) => `    ${text.replaceAll('$', name)}`),
      '  }',
      '  return i;',
      '};',
    ].join('\n');
    return text.replaceAll(SAVE_STATE, this.#stateStores()).replaceAll(LOAD_STATE, this.#stateLoads());
  }

  /** Text that puts the accumulators held in locals back into the stage's state. */
  #stateStores(): string {
    return this.#stateLocals()
      .map(([name]) => this.#stores.get(name)!.replaceAll('$', name))
      .join(' ');
  }

  /** Text that takes them from there again. */
  #stateLoads(): string {
    return this.#stateLocals()
      .map(([name, text]) => `${name} = ${text};`)
      .join(' ');
  }

  /** Counters begin at 0 and are added up at the end; all other locals are state. */
  #stateLocals(): [name: string, text: string][] {
    return [...this.#locals].filter(([, text]) => text !== '0');
  }

  #decode(): { prelude: readonly string[]; row: readonly string[]; key: string | undefined; record: string } {
    const input = this.#input;
    const views = ['const B = source, F64 = B.F64, I32 = B.I32, U32 = B.U32, U8 = B.U8;'];
    switch (input.kind) {
      case 'array':
        return { prelude: [], row: [], key: undefined, record: 'source[i]' };
      case 'iterator':
        return {
          prelude: [],
          row: [
            `op = ${this.#root};`,
            'const next = source.next();',
            'if (next.done !== false) {',
            '  if (typeof next.then === "function") { ctl.pulled = next; return i; }',
            '  if (next.done) { ctl.ended = true; break; }',
            '}',
          ],
          key: undefined,
          record: 'next.value',
        };
      case 'function':
        return {
          prelude: [],
          row: [
            `op = ${this.#root};`,
            'const pulled = source();',
            "if (typeof pulled === 'object' && pulled !== null && typeof pulled.then === 'function') { ctl.pulled = pulled; return i; }",
            input.ends === 'batch'
              ? 'if (pulled === null || pulled === undefined) { ctl.ended = true; break; }'
              : 'if (pulled === ctl.END) { ctl.ended = true; break; }\n      if (pulled === undefined) { ctl.nothing = true; break; }',
          ],
          key: undefined,
          record: 'pulled',
        };
      case 'batch': {
        const text = emitDecoder(input.plan, input.missing);
        return { prelude: [...views, ...text.prelude], row: text.row, key: text.key, record: text.record };
      }
      case 'results':
      case 'running': {
        const text = emitTupleColumns(input.plan);
        const fields = input.names.map((name, n) => `${propertyName(name)}: ${text.columns[n]!}`);
        const key = input.kind === 'running' ? 'keys[i]' : text.key;
        if (input.keyed) fields.unshift(`key: ${key ?? 'undefined'}`);
        return { prelude: [...views, ...text.prelude], row: text.row, key: undefined, record: `{ ${fields.join(', ')} }` };
      }
    }
  }

  #bind(name: string, text: string): string {
    this.#bindings.set(name, text);
    return name;
  }

  /** A local counter that is added to the stage's counters when the call ends. */
  #counter(name: string, slot: string): string {
    this.#locals.set(name, '0');
    this.#stores.set(name, `${slot} += $;`);
    return name;
  }

  #fresh(prefix: string): string {
    return `${prefix}$${this.#names++}`;
  }

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
      const label = this.#fresh('b');
      const inner = this.#node(this.#stage.nodes[id]!, name, { key: scope.key, pending, leave: `break ${label}` }, `${indent}  `);
      lines.push(`${indent}${label}: {`, ...inner, `${indent}}`);
    });
    return lines;
  }

  #suspend(node: StageNode, promise: string, value: string, scope: Scope): string {
    return `{ ctl.suspend(${node.id}, ${promise}, ${value}, ${scope.key}, [${scope.pending.join(', ')}]); return ++i; }`;
  }

  /** Awaits a result that is a promise outside the generated code. */
  #thenable(node: StageNode, result: string, value: string, scope: Scope, indent: string): string {
    return `${indent}if (typeof ${result} === 'object' && ${result} !== null && typeof ${result}.then === 'function') ${this.#suspend(node, result, value, scope)}`;
  }

  /**
   * A statement that declares `result`, caught on its own: an error has the record that this operator was given. That costs
   * nothing, also where the record is never allocated: a handler that has not run yet is left to the interpreter.
   */
  #guarded(node: StageNode, result: string, expression: string, value: string, indent: string): string {
    return `${indent}let ${result}; try { ${result} = ${expression}; } catch (error) { throw ctl.threw(error, ${node.id}, ${value}); }`;
  }

  /** Encodes a row; what cannot be encoded is an error of the record. */
  #append(node: StageNode, writer: string, row: string, key: string | undefined, value: string, indent: string): string {
    const call = `${writer}.append(${row}${key === undefined ? '' : `, ${key}`});`;
    return `${indent}try { ${call} } catch (error) { throw ctl.threw(error, ${node.id}, ${value}); }`;
  }

  /** A call of the node's user function. */
  #call(node: StageNode, value: string, scope: Scope, indent: string): { before: string[]; call: string } {
    const { op } = node;
    if (!('fn' in op)) throw new TypeError(`operator '${op.kind}' has no user function`);
    const before: string[] = [];
    const fn = this.#bind(`f${node.id}`, `R.functions[${node.id}]`);
    if (op.fn.form === 'lambda') return { before, call: `${fn}(${value})` };
    if (scope.key !== undefined) {
      const context = this.#bind(`x${node.id}`, `R.contexts[${node.id}]`);
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
        return op.keyed ? this.#keyedInput(node, value, scope, indent) : this.#reduce(node, value, scope, indent);
      case 'aggregate':
        return op.keyed ? this.#keyedAggregate(node, value, scope, indent) : this.#aggregate(node, value, scope, indent);
      case 'extract': {
        const record = this.#fresh('e');
        const inputs = Object.values(op.spec).filter(hasInput).map((aggregator) => this.#aggregateInput(node, aggregator, value, indent));
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
        this.#stops = true;
        const writer = this.#bind(`w${node.id}`, `R.writers[${node.id}]`);
        return [this.#append(node, writer, value, scope.key, value, indent)];
      }
      default:
        throw new TypeError(`operator '${op.kind}' cannot stand inside a segment`);
    }
  }

  #linkedCall(node: StageNode, value: string, scope: Scope, indent: string): string[] {
    const linked = this.#bind(`l${node.id}`, `R.linked[${node.id}]`);
    const result = this.#fresh('p');
    return [
      `${indent}op = ${node.id};`,
      `${indent}${SAVE_STATE}`,
      `${indent}const ${result} = ${linked}.push(${value}, ${scope.key});`,
      `${indent}${LOAD_STATE}`,
      `${indent}if (${result} !== undefined) { ctl.suspend(-1, ${result}, undefined, undefined, [${scope.pending.join(', ')}]); return ++i; }`,
    ];
  }

  #map(node: StageNode, value: string, scope: Scope, indent: string): string[] {
    const { before, call } = this.#call(node, value, scope, indent);
    const result = this.#fresh('v');
    const dropped = this.#counter(`d${node.id}`, `R.dropped[${node.id}]`);
    return [
      ...before,
      this.#guarded(node, result, call, value, indent),
      this.#thenable(node, result, value, scope, indent),
      `${indent}if (${result} === undefined) { ${dropped}++; ${scope.leave}; }`,
      ...this.#children(node, result, scope, indent),
    ];
  }

  #filter(node: StageNode, value: string, scope: Scope, indent: string): string[] {
    const { before, call } = this.#call(node, value, scope, indent);
    const result = this.#fresh('t');
    const rejected = this.#counter(`d${node.id}`, `R.dropped[${node.id}]`);
    return [
      ...before,
      this.#guarded(node, result, call, value, indent),
      `${indent}if (${result} !== true) {`,
      this.#thenable(node, result, value, scope, `${indent}  `),
      `${indent}  if (!${result}) { ${rejected}++; ${scope.leave}; }`,
      `${indent}}`,
      ...this.#children(node, value, scope, indent),
    ];
  }

  #flatMap(node: StageNode, value: string, scope: Scope, indent: string): string[] {
    const { op } = node;
    if (op.kind !== 'flatMap') return [];
    const { before, call } = this.#call(node, value, scope, indent);
    const result = this.#fresh('r');
    const index = this.#fresh('j');
    const item = this.#fresh('v');
    const emitted = this.#counter(`e${node.id}`, `R.emitted[${node.id}]`);
    const { key } = scope;
    // Lists are walked in place. Everything else (iterators, strings, what collect() took, async iterables) is the
    // linked form's: it can stop half way through an endless iterator until there is room again.
    const resume = `['items', ${node.id}, ${result}, ${index} + 1, ${key}]`;
    const inner: Scope = { key, pending: [...scope.pending, resume], leave: 'continue' };
    const collects = op.fn.form !== 'lambda';
    const collected = collects ? this.#bind(`q${node.id}`, `R.collected[${node.id}]`) : undefined;
    const isPlain = collected === undefined ? `Array.isArray(${result})` : `(Array.isArray(${result}) && ${collected}.length === 0)`;
    const nothing = collected === undefined ? `${result} == null` : `${result} == null && ${collected}.length === 0`;
    return [
      ...before,
      this.#guarded(node, result, call, value, indent),
      `${indent}if (${isPlain}) {`,
      `${indent}  for (let ${index} = 0; ${index} < ${result}.length; ${index}++) {`,
      `${indent}    const ${item} = ${result}[${index}];`,
      `${indent}    ${emitted}++;`,
      ...this.#children(node, item, inner, `${indent}    `),
      `${indent}  }`,
      `${indent}} else if (!(${nothing})) {`,
      this.#thenable(node, result, value, scope, `${indent}  `),
      `${indent}  ${SAVE_STATE}`,
      `${indent}  const p = R.linked[${node.id}].flatten(${result}, ${value}, ${key});`,
      `${indent}  ${LOAD_STATE}`,
      `${indent}  if (p !== undefined) { ctl.suspend(-1, p, undefined, undefined, [${scope.pending.join(', ')}]); return ++i; }`,
      `${indent}}`,
    ];
  }

  #keyBy(node: StageNode, value: string, scope: Scope, indent: string): string[] {
    const { op } = node;
    if (op.kind !== 'keyBy') return [];
    const key = this.#fresh('k');
    const inner: Scope = { ...scope, key };
    if (isFieldPath(op.selector)) {
      const access = op.selector.segments.map((name) => `?.[${JSON.stringify(name)}]`).join('');
      return [
        `${indent}const ${key} = ${value}${access};`,
        // A field that is there with the value undefined is a key; one that is not there is an error.
        `${indent}if (${key} === undefined) { op = ${node.id}; ctl.checkKey(${node.id}, ${value}); }`,
        ...this.#children(node, value, inner, indent),
      ];
    }
    const fn = this.#bind(`f${node.id}`, `R.functions[${node.id}]`);
    const call = op.selector.form === 'lambda' ? `${fn}(${value})` : `${fn}.execute(${value})`;
    return [
      this.#guarded(node, key, call, value, indent),
      this.#thenable(node, key, value, { ...scope, key: undefined }, indent),
      ...this.#children(node, value, inner, indent),
    ];
  }

  /** Unkeyed reduce: the accumulator is a local of the function while it runs. */
  #reduce(node: StageNode, value: string, scope: Scope, indent: string): string[] {
    const { op } = node;
    if (op.kind !== 'reduce') return [];
    const state = this.#bind(`s${node.id}`, `R.state[${node.id}]`);
    const acc = `a${node.id}`;
    const has = `h${node.id}`;
    this.#locals.set(acc, `${state}.value`);
    this.#locals.set(has, `${state}.has`);
    this.#stores.set(acc, `${state}.value = $;`);
    this.#stores.set(has, `${state}.has = $;`);
    const fn = this.#bind(`f${node.id}`, `R.functions[${node.id}]`);
    const call = op.fn.form === 'lambda' ? `${fn}(${acc}, ${value})` : `${fn}.execute(${acc}, ${value})`;
    const result = this.#fresh('v');
    const lines = [
      `${indent}if (${has}) {`,
      this.#guarded(node, result, call, value, `${indent}  `),
      this.#thenable(node, result, value, scope, `${indent}  `),
      `${indent}  ${acc} = ${result};`,
      `${indent}} else { ${acc} = ${value}; ${has} = true; }`,
      ...this.#changed(node, state, indent),
    ];
    if (op.emit === 'update') {
      const out = this.#fresh('v');
      lines.push(`${indent}const ${out} = ${acc};`, ...this.#children(node, out, { ...scope, key: undefined }, indent));
    }
    return lines;
  }

  /** With `emit: { everyMs }`: notes that there will be something to emit. */
  #changed(node: StageNode, state: string, indent: string): string[] {
    if (!('emit' in node.op) || typeof node.op.emit !== 'object') return [];
    const changed = `m${node.id}`;
    this.#locals.set(changed, `${state}.changed`);
    this.#stores.set(changed, `${state}.changed = $;`);
    return [`${indent}${changed} = true;`];
  }

  /** Unkeyed aggregate: built-in ones as local numbers, others through their object. */
  #aggregate(node: StageNode, value: string, scope: Scope, indent: string): string[] {
    const { op } = node;
    if (op.kind !== 'aggregate') return [];
    const state = this.#bind(`s${node.id}`, `R.state[${node.id}]`);
    const lines = [`${indent}op = ${node.id};`];
    const results: string[] = [];
    const custom: string[] = [];
    Object.entries(op.spec).forEach(([name, aggregator], n) => {
      if (isBuiltinAggregator(aggregator)) {
        const input = hasInput(aggregator) ? this.#aggregateInput(node, aggregator, value, indent) : undefined;
        const text = emitBuiltinAggregate(aggregator.name, `a${node.id}_${n}`, input?.name ?? '0', `${state}.builtin[${n}]`);
        for (const [local, init] of text.locals) this.#locals.set(local, init);
        for (const [local, store] of text.stores) this.#stores.set(local, store);
        lines.push(...(input?.lines ?? []), ...text.add.map((line) => `${indent}${line}`));
        results.push(`${propertyName(name)}: ${text.result}`);
      } else {
        const add = this.#bind(`g${node.id}_${n}`, `R.aggregators[${node.id}][${n}]`);
        const added = this.#fresh('c');
        custom.push(added);
        lines.push(this.#guarded(node, added, `${state}.custom[${n}] = ${add}.add(${state}.custom[${n}], ${value})`, value, indent));
        results.push(`${propertyName(name)}: ${add}.result(${state}.custom[${n}])`);
      }
    });
    lines.push(...this.#changed(node, state, indent));
    for (const added of custom) {
      lines.push(
        `${indent}if (typeof ${added} === 'object' && ${added} !== null && typeof ${added}.then === 'function') ` +
          this.#suspend(node, `Promise.all(${state}.custom)`, value, { ...scope, key: undefined }),
      );
    }
    if (op.emit === 'update') {
      const out = this.#fresh('v');
      lines.push(
        `${indent}const ${out} = { ${results.join(', ')} };`,
        ...this.#children(node, out, { ...scope, key: undefined }, indent),
      );
    }
    return lines;
  }

  /** The value an aggregator takes from a record: a number, or undefined where there is none. */
  #aggregateInput(node: StageNode, aggregator: BuiltinAggregator<never, unknown>, value: string, indent: string): { name: string; lines: string[] } {
    const { op } = node;
    if (op.kind !== 'aggregate' && op.kind !== 'extract') throw new TypeError('only aggregates have inputs');
    const n = Object.values(op.spec).indexOf(aggregator);
    const name = this.#fresh('x');
    const { input } = aggregator;
    const expression =
      typeof input === 'function'
        ? `${this.#bind(`g${node.id}_${n}`, `R.aggregators[${node.id}][${n}].input`)}(${value})`
        : `${value}${(input?.segments ?? []).map((part) => `?.[${JSON.stringify(part)}]`).join('')}`;
    return {
      name,
      lines: [
        typeof input === 'function' ? this.#guarded(node, name, expression, value, indent) : `${indent}const ${name} = ${expression};`,
        ...(takesNumbers(aggregator)
          ? [`${indent}if (typeof ${name} !== 'number' && ${name} !== undefined && ${name} !== null) ctl.badInput(${node.id}, ${n}, ${name}, ${value});`]
          : []),
      ],
    };
  }

  /** Keyed aggregate in the core: the key and the inputs go into a batch. */
  #keyedAggregate(node: StageNode, value: string, scope: Scope, indent: string): string[] {
    const { op } = node;
    if (op.kind !== 'aggregate') return [];
    const { spec } = op;
    if (!runsInCore(spec, op.emit)) return this.#keyedInput(node, value, scope, indent);
    this.#stops = true;
    const writer = this.#bind(`w${node.id}`, `R.writers[${node.id}]`);
    const keep = op.emit === 'update' ? [`${indent}${this.#bind(`y${node.id}`, `R.keyed[${node.id}]`)}.keys.push(${scope.key});`] : [];
    if (op.input === 'extracted') return [...keep, this.#append(node, writer, value, scope.key, value, indent)];
    const inputs = Object.values(spec).filter(hasInput).map((aggregator) => this.#aggregateInput(node, aggregator, value, indent));
    return [
      `${indent}op = ${node.id};`,
      ...inputs.flatMap((input) => input.lines),
      ...keep,
      this.#append(node, writer, `[${inputs.map((input) => input.name).join(', ')}]`, scope.key, value, indent),
    ];
  }

  /** Keyed reduce or user aggregator: the core finds the slots of a batch of keys, JavaScript accumulates. */
  #keyedInput(node: StageNode, value: string, scope: Scope, indent: string): string[] {
    this.#stops = true;
    const keyed = this.#bind(`y${node.id}`, `R.keyed[${node.id}]`);
    const writer = this.#bind(`w${node.id}`, `R.writers[${node.id}]`);
    return [
      `${indent}${keyed}.keys.push(${scope.key}); ${keyed}.records.push(${value});`,
      // Only the key is encoded; the record itself stays in JavaScript.
      this.#append(node, writer, 'null', scope.key, value, indent),
    ];
  }

  #sink(node: StageNode, value: string, scope: Scope, indent: string): string[] {
    const { op } = node;
    if (op.kind !== 'sink') return [];
    const sink = op.sink;
    if (sink.form === 'array') {
      return [`${indent}${this.#bind(`f${node.id}`, `R.functions[${node.id}]`)}.push(${value});`];
    }
    const fn = this.#bind(`f${node.id}`, `R.functions[${node.id}]`);
    const lambda = sink.form === 'collect' || (sink.form === 'function' && sink.fn.form === 'lambda');
    const result = this.#fresh('r');
    const lines: string[] = [];
    if (!lambda && scope.key !== undefined) lines.push(`${indent}${this.#bind(`x${node.id}`, `R.contexts[${node.id}]`)}.key = ${scope.key};`);
    lines.push(
      this.#guarded(node, result, lambda ? `${fn}(${value})` : `${fn}.execute(${value})`, value, indent),
      this.#thenable(node, result, value, scope, indent),
    );
    return lines;
  }
}

function hasInput(aggregator: AnyAggregator): aggregator is BuiltinAggregator<never, unknown> {
  return isBuiltinAggregator(aggregator) && aggregator.input !== undefined;
}

/** A property name that cannot change the meaning of an object literal. */
function propertyName(name: string): string {
  return name === '__proto__' ? '["__proto__"]' : JSON.stringify(name);
}
