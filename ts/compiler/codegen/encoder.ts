import type { BatchPlan, PlannedNode } from '../layout/batch-plan.ts';
import type { LeafNode } from '../layout/layout.ts';
import type { EdgeEncoding } from '../layout/infer-layout.ts';

/** Byte offset of each fixed-width buffer in the writer's resident image, by buffer index (-1 for data). */
export type BufferOffsets = readonly number[];

/**
 * The text of a writer's `append`. It becomes the body of
 * `new Function('F64', 'U32', 'U8', 'capacityRows', 'textLimit', 'values', 'keyBytes', 'host', text)` and returns
 * `{ append, rows, texts, reset }`.
 *
 * A record is known by its prototype, every field is guarded by `typeof` and the number of own fields is counted, so that nothing a record has can be
 * lost; a guard that fails calls `host.miss(record, key)` before anything was written, and the host widens the layout.
 */
export function emitEncoder(plan: BatchPlan, offsets: BufferOffsets, encoding: EdgeEncoding): string {
  // The time stands behind the key, whether there is one or not.
  const beside = plan.time !== undefined ? ', k, t' : plan.key !== undefined ? ', k' : '';
  const emitter = new EncoderEmitter(offsets, encoding, beside);
  if (plan.key !== undefined) emitter.value(plan.key, 'k', undefined);
  emitter.value(plan.row, 'v', undefined);
  if (plan.time !== undefined) emitter.writes.push(`F64[${offsets[plan.time.values]! / 8} + i] = t;`);
  const texts = Array.from({ length: plan.encodings }, (_, i) => `S${i}`);
  const ownTexts = texts.filter((_, i) => !emitter.pooled.has(i));
  const textLength = ownTexts.length === 0 ? '0' : ownTexts.map((name) => `${name}.length`).join(' + ');
  const over = [`i === last`];
  if (ownTexts.length > 0) over.push(`${textLength} > textLimit`);
  if (emitter.pooled.size > 0 || emitter.hasValues) over.push('values.bytes() > textLimit');
  return `'use strict';
const last = capacityRows - 1;
const hasOwn = Object.prototype.hasOwnProperty;
const plain = Object.prototype, protoOf = Object.getPrototypeOf;
let known = plain;
let rows = 0;
${ownTexts.length > 0 ? `let ${ownTexts.map((name) => `${name} = ''`).join(', ')};` : ''}
function append(v${beside}) {
  const i = rows;
${emitter.guards.map((line) => `  ${line}`).join('\n')}
${emitter.writes.map((line) => `  ${line}`).join('\n')}
  rows = i + 1;
  if (${over.join(' || ')}) host.full();
}
return {
  append,
  rows: () => rows,
  text: (n) => ${ownTexts.length > 0 ? `[${texts.map((name, i) => (emitter.pooled.has(i) ? "''" : name)).join(', ')}][n]` : "''"},
  reset() { rows = 0;${ownTexts.map((name) => ` ${name} = '';`).join('')} },
};
`;
}

class EncoderEmitter {
  readonly guards: string[] = [];
  readonly writes: string[] = [];
  /** Encodings that belong to the pool of an `any` column: the value writer keeps those texts. */
  readonly pooled = new Set<number>();
  hasValues = false;
  readonly #offsets: BufferOffsets;
  readonly #encoding: EdgeEncoding;
  /** Arguments of `append` behind the record. */
  readonly #beside: string;
  /** Objects above the node at hand that are columns themselves. */
  readonly #owners: readonly string[];
  #names = 0;

  constructor(offsets: BufferOffsets, encoding: EdgeEncoding, beside: string, owners: readonly string[] = []) {
    this.#beside = beside;
    this.#owners = owners;
    this.#offsets = offsets;
    this.#encoding = encoding;
  }

  #at(buffer: number, widthBytes: number): string {
    return `${this.#offsets[buffer]! / widthBytes} + i`;
  }

  /** Guards and writes of one node. `missing` is the text that tells an absent field from an undefined one. */
  value(planned: PlannedNode, expression: string, missing: string | undefined): void {
    if (planned.presence < 0) {
      this.#present(planned, expression, this.guards, this.writes);
      return;
    }
    const p = `p${this.#names++}`;
    const guards: string[] = [];
    const writes: string[] = [];
    let value = expression;
    const leafKind = planned.node.type === 'leaf' ? planned.node.kind : undefined;
    if (leafKind === 'json') {
      // The text is made in the guards: what JSON has no word for is missing, and an error leaves nothing half written.
      value = `j${this.#names++}`;
      this.guards.push(`const ${value} = JSON.stringify(${expression});`);
      this.guards.push(`const ${p} = ${value} === undefined ? 3 : 0;`);
      this.#leafWrites(planned, value, writes);
    } else {
      this.#present(planned, value, guards, writes);
      this.guards.push(
        `let ${p} = 0;`,
        `if (${value} === null) ${p} = 1;`,
        `else if (${value} === undefined) ${p} = ${missing === undefined ? '2' : `${missing} ? 2 : 3`};`,
        ...(guards.length > 0 ? ['else {', ...guards.map((line) => `  ${line}`), '}'] : []),
      );
      hoistLocals(this.guards);
    }
    const fillers: string[] = [];
    this.#fill(planned, fillers);
    this.writes.push(
      `U8[${this.#at(planned.presence, 1)}] = ${p};`,
      ...(writes.length + fillers.length > 0
        ? [`if (${p} === 0) {`, ...writes.map((line) => `  ${line}`), '} else {', ...fillers.map((line) => `  ${line}`), '}']
        : []),
    );
  }

  #present(planned: PlannedNode, value: string, guards: string[], writes: string[]): void {
    const { node } = planned;
    if (node.type === 'leaf') {
      const guard = leafGuard(node, value);
      if (guard !== undefined) guards.push(`if (${guard}) return host.miss(v${this.#beside});`);
      this.#leafWrites(planned, value, writes);
      return;
    }
    const nested = new EncoderEmitter(this.#offsets, this.#encoding, this.#beside, [...this.#owners, value]);
    nested.#names = this.#names;
    const miss = `return host.miss(v${this.#beside});`;
    if (node.type === 'tuple') {
      guards.push(`if (!Array.isArray(${value}) || ${value}.length !== ${node.items.length}) ${miss}`);
      planned.children.forEach((child, n) => {
        const item = `x${nested.#names++}`;
        nested.guards.push(`const ${item} = ${value}[${n}];`);
        // A hole is not the same as undefined; other kinds refuse both.
        if (child.presence >= 0 || (child.node.type === 'leaf' && child.node.kind === 'any')) {
          nested.guards.push(`if (${item} === undefined && !hasOwn.call(${value}, ${n})) ${miss}`);
        }
        nested.value(child, item, undefined);
      });
    } else {
      guards.push(`if (typeof ${value} !== 'object' || ${value} === null) ${miss}`);
      // An array, a Map or an error may have the very fields of the layout, and much besides them.
      const proto = `x${nested.#names++}`;
      guards.push(`const ${proto} = protoOf(${value});`);
      guards.push(`if (${proto} !== plain && ${proto} !== known) { if (!host.isRecord(${value})) ${miss} known = ${proto}; }`);
      if (this.#encoding === 'json') guards.push(`if (${value}.toJSON !== undefined) ${miss}`);
      const optionals: string[] = [];
      let required = 0;
      planned.children.forEach((child, n) => {
        const name = JSON.stringify(node.fields[n]![0]);
        const field = `x${nested.#names++}`;
        // Names that every object inherits would read as present where they are missing.
        const inherited = node.fields[n]![0] in Object.prototype;
        nested.guards.push(`const ${field} = ${inherited ? `!hasOwn.call(${value}, ${name}) ? undefined : ` : ''}${value}[${name}];`);
        // The other kinds refuse undefined by their type.
        if (child.presence < 0 && child.node.type === 'leaf' && child.node.kind === 'any') {
          nested.guards.push(`if (${field} === undefined && !hasOwn.call(${value}, ${name})) ${miss}`);
        }
        if (child.presence >= 0) optionals.push(`p${nested.#names}`);
        else required++;
        nested.value(child, field, `hasOwn.call(${value}, ${name})`);
      });
      const count = `c${nested.#names++}`;
      const expected = [String(required), ...optionals.map((p) => `(${p} !== 3 ? 1 : 0)`)].join(' + ');
      // Counting fields is what notices one that the layout does not have. In JSON, fields that are there but have
      // no text do not count; a mismatch is then settled by the host.
      nested.guards.push(`let ${count} = 0; for (const _ in ${value}) ${count}++;`);
      nested.guards.push(`if (${count} !== ${expected} || ${count} === 0) ${miss}`);
    }
    this.#names = nested.#names;
    for (const pool of nested.pooled) this.pooled.add(pool);
    this.hasValues ||= nested.hasValues;
    guards.push(...nested.guards);
    writes.push(...nested.writes);
  }

  #leafWrites(planned: PlannedNode, value: string, writes: string[]): void {
    const node = planned.node as LeafNode;
    const at = planned.values;
    switch (node.kind) {
      case 'f64':
        writes.push(`F64[${this.#at(at, 8)}] = ${value};`);
        break;
      case 'date':
        writes.push(`F64[${this.#at(at, 8)}] = ${value}.getTime();`);
        break;
      case 'bool':
        writes.push(`U8[${this.#at(at, 1)}] = ${value} ? 1 : 0;`);
        break;
      case 'str':
      case 'json':
        writes.push(`S${planned.encoding} += ${value};`, `U32[${this.#at(at, 4)}] = S${planned.encoding}.length;`);
        break;
      case 'bytes':
        this.hasValues = true;
        writes.push(`U32[${this.#at(at, 4)}] = keyBytes.write(${value});`);
        break;
      case 'any':
        this.hasValues = true;
        this.pooled.add(planned.encoding);
        writes.push(
          `const w${at} = values.column(${planned.encoding}); w${at}.write(${[value, ...this.#owners].join(', ')});`,
          `U32[${this.#at(at, 4)}] = w${at}.length; U32[${this.#at(at + 2, 4)}] = w${at}.pool.length;`,
        );
        break;
      default:
        break;
    }
  }

  /** Fillers of a row that is not there: `docs/internals/data-path.md`, section 1. */
  #fill(planned: PlannedNode, writes: string[]): void {
    const { node } = planned;
    if (node.type !== 'leaf') {
      for (const child of planned.children) {
        if (child.presence >= 0) writes.push(`U8[${this.#at(child.presence, 1)}] = 3;`);
        this.#fill(child, writes);
      }
      return;
    }
    const at = planned.values;
    const repeat = (buffer: number): string =>
      `U32[${this.#at(buffer, 4)}] = i === 0 ? 0 : U32[${this.#at(buffer, 4)} - 1];`;
    switch (node.kind) {
      case 'f64':
      case 'date':
        writes.push(`F64[${this.#at(at, 8)}] = 0;`);
        break;
      case 'bool':
        writes.push(`U8[${this.#at(at, 1)}] = 0;`);
        break;
      case 'str':
      case 'json':
      case 'bytes':
        writes.push(repeat(at));
        break;
      case 'any':
        writes.push(repeat(at), repeat(at + 2));
        break;
      default:
        break;
    }
  }
}

/** Condition under which the value does not fit the column. */
function leafGuard(node: LeafNode, value: string): string | undefined {
  switch (node.kind) {
    case 'f64':
      return `typeof ${value} !== 'number'`;
    case 'bool':
      return `typeof ${value} !== 'boolean'`;
    case 'str':
      return `typeof ${value} !== 'string'`;
    case 'date':
      return `!(${value} instanceof Date) || Object.getPrototypeOf(${value}) !== Date.prototype`;
    case 'nil':
      return 'true';
    default:
      return undefined;
  }
}

/**
 * Names that guards inside a block declare are read by the writes outside it: they become `var`, the only
 * declaration JavaScript hoists out of a block.
 */
function hoistLocals(lines: string[]): void {
  for (let n = 0; n < lines.length; n++) {
    lines[n] = lines[n]!.replace(/^(\s+)(?:const|let) ([xpcj]\d+)/, '$1var $2');
  }
}
