/**
 * Layouts: which columns a batch has. The format is fixed in `docs/internals/data-path.md`, section 1.
 *
 * A layout is a tree of nodes. Its canonical text is what isolates and the core exchange and what a
 * job's layout registry turns into a small integer.
 */

/** Kinds of a leaf column. */
export type LeafKind = 'f64' | 'i32' | 'bool' | 'str' | 'date' | 'json' | 'bytes' | 'any' | 'nil';

/** One column (or one column with its pool, for `any`). */
export interface LeafNode {
  readonly type: 'leaf';
  readonly kind: LeafKind;
  readonly optional: boolean;
}

/** A plain object whose fields are columns. */
export interface RecordNode {
  readonly type: 'record';
  readonly fields: readonly (readonly [name: string, node: LayoutNode])[];
  readonly optional: boolean;
}

/** An array of fixed length whose items are columns. */
export interface TupleNode {
  readonly type: 'tuple';
  readonly items: readonly LayoutNode[];
  readonly optional: boolean;
}

export type LayoutNode = LeafNode | RecordNode | TupleNode;

/** What a batch holds: the record, its key on a keyed edge, and its event time where something behind needs it. */
export interface Layout {
  readonly key: LeafNode | undefined;
  /** Whether there is a column with the event time of each record, in epoch milliseconds. */
  readonly timed: boolean;
  readonly row: LayoutNode;
  /** Canonical text; equal texts are equal layouts. */
  readonly text: string;
}

/** Values of a presence buffer. */
export const PRESENT = 0;
export const NULL = 1;
export const UNDEFINED = 2;
export const MISSING = 3;

const LEAF_KINDS: ReadonlySet<string> = new Set(['f64', 'i32', 'bool', 'str', 'date', 'json', 'bytes', 'any', 'nil']);

/** A leaf node of `kind`. */
export function leaf(kind: LeafKind, optional = false): LeafNode {
  return { type: 'leaf', kind, optional: optional || kind === 'nil' };
}

/** An array of so many numbers, each of which may be absent: the inputs of the aggregators of the core. */
export function numbersTuple(items: number): TupleNode {
  return { type: 'tuple', items: Array.from({ length: items }, () => leaf('f64', true)), optional: false };
}

function nodeToJson(node: LayoutNode): unknown {
  if (node.type === 'leaf') return node.optional ? `${node.kind}?` : node.kind;
  const body: Record<string, unknown> =
    node.type === 'record'
      ? { rec: node.fields.map(([name, child]) => [name, nodeToJson(child)]) }
      : { tup: node.items.map(nodeToJson) };
  if (node.optional) body['opt'] = true;
  return body;
}

function nodeFromJson(json: unknown): LayoutNode {
  if (typeof json === 'string') {
    const optional = json.endsWith('?');
    const kind = optional ? json.slice(0, -1) : json;
    if (!LEAF_KINDS.has(kind)) throw new TypeError(`unknown column kind '${json}' in a layout`);
    return leaf(kind as LeafKind, optional);
  }
  const body = json as { rec?: [string, unknown][]; tup?: unknown[]; opt?: boolean };
  const optional = body.opt === true;
  if (body.rec !== undefined) {
    return { type: 'record', fields: body.rec.map(([name, child]) => [name, nodeFromJson(child)] as const), optional };
  }
  if (body.tup !== undefined) return { type: 'tuple', items: body.tup.map(nodeFromJson), optional };
  throw new TypeError('a layout node must be a column kind, a rec or a tup');
}

/** Builds a layout and its canonical text. */
export function makeLayout(row: LayoutNode, key?: LeafNode, timed = false): Layout {
  const json: Record<string, unknown> = key === undefined ? {} : { key: nodeToJson(key) };
  if (timed) json['time'] = 'f64';
  json['row'] = nodeToJson(row);
  return { key, timed, row, text: JSON.stringify(json) };
}

/** Reads a layout from its text. */
export function parseLayout(text: string): Layout {
  const json = JSON.parse(text) as { key?: unknown; time?: unknown; row: unknown };
  const key = json.key === undefined || json.key === null ? undefined : nodeFromJson(json.key);
  if (key !== undefined && key.type !== 'leaf') throw new TypeError('the key of a layout must be one column');
  return { key, timed: json.time !== undefined, row: nodeFromJson(json.row), text };
}

/** How many leaf columns a node has; what bounds the width of a layout. */
export function countColumns(node: LayoutNode): number {
  if (node.type === 'leaf') return 1;
  const children = node.type === 'record' ? node.fields.map(([, child]) => child) : node.items;
  return children.reduce((sum, child) => sum + countColumns(child), 0);
}

/** The same node, able to be null, undefined or missing. */
export function optional(node: LayoutNode): LayoutNode {
  return node.optional ? node : { ...node, optional: true };
}
