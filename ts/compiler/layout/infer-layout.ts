import { type LayoutNode, type LeafNode, countColumns, leaf, optional } from './layout.ts';

/** Above this a record is one `any` column: wide layouts make generated functions too large to optimise. */
export const MAX_COLUMNS = 256;
const MAX_DEPTH = 8;
const MAX_TUPLE = 16;

/**
 * How an edge carries what has no column of its own: `columns` by the general codec (any structured-cloneable
 * value survives), `json` as the text `JSON.stringify` gives (into a native JSON writer).
 */
export type EdgeEncoding = 'columns' | 'json';

/** The column of last resort. JSON texts are optional because `JSON.stringify` may give nothing. */
export function fallbackLeaf(encoding: EdgeEncoding, makeOptional = false): LeafNode {
  return encoding === 'json' ? leaf('json', true) : leaf('any', makeOptional);
}

/** Values whose structured clone is a plain object with the same own fields. */
export function isRecordLike(value: object, encoding: EdgeEncoding): boolean {
  if (encoding === 'json' && typeof (value as { toJSON?: unknown }).toJSON === 'function') return false;
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return false;
  const tag = Object.prototype.toString.call(value);
  // Class instances print as [object Object] unless they name themselves; those that do (Map, Set, Promise,
  // URL ...) are left to the general codec, which knows or refuses them.
  return tag === '[object Object]';
}

/** A Date without fields or methods of its own: what a column of milliseconds brings back whole. */
function isPlainDate(value: Date): boolean {
  return Object.getPrototypeOf(value) === Date.prototype && Object.keys(value).length === 0;
}

/** Whether a value leads back to itself: columns are a tree, so that only the general codec can keep it. */
function isCyclic(value: object, ancestors: Set<object>, done: Set<object>): boolean {
  // Very deep values count as cyclic: the general codec does not recurse without end.
  if (ancestors.has(value) || ancestors.size > 500) return true;
  // What is shared is looked into once, however many ways lead to it.
  if (done.has(value)) return false;
  ancestors.add(value);
  for (const child of Object.values(value)) {
    if (typeof child === 'object' && child !== null && !ArrayBuffer.isView(child) && isCyclic(child as object, ancestors, done)) return true;
  }
  ancestors.delete(value);
  done.add(value);
  return false;
}

/** The narrowest node that can hold `value`. */
export function inferNode(value: unknown, encoding: EdgeEncoding = 'columns'): LayoutNode {
  if (typeof value === 'object' && value !== null && isCyclic(value, new Set(), new Set())) return fallbackLeaf(encoding);
  const width = { columns: 0 };
  const node = inferNested(value, encoding, 0, width);
  return width.columns > MAX_COLUMNS ? fallbackLeaf(encoding) : node;
}

/** As `inferNode`; adds to `width`, and looks into nothing any more when that is too large already. */
function inferNested(value: unknown, encoding: EdgeEncoding, depth: number, width: { columns: number }): LayoutNode {
  const general = (): LayoutNode => {
    width.columns++;
    return fallbackLeaf(encoding);
  };
  const column = (kind: LeafNode['kind']): LayoutNode => {
    width.columns++;
    return leaf(kind);
  };
  switch (typeof value) {
    case 'number':
      return column('f64');
    case 'string':
      return column('str');
    case 'boolean':
      return column('bool');
    case 'undefined':
      return column('nil');
    case 'object':
      break;
    default:
      return general();
  }
  if (value === null) return column('nil');
  if (value instanceof Date) return isPlainDate(value) ? column('date') : general();
  if (depth >= MAX_DEPTH || width.columns > MAX_COLUMNS) return general();
  if (Array.isArray(value)) {
    // Only short arrays of plain values are columns (pairs such as [word, 1]); lists of varying length are not.
    if (depth > 0 || value.length === 0 || value.length > MAX_TUPLE) return general();
    if (Object.keys(value).length !== value.length) return general();
    return { type: 'tuple', items: value.map((item) => inferNested(item, encoding, depth + 1, width)), optional: false };
  }
  if (!isRecordLike(value, encoding)) return general();
  const names = Object.keys(value);
  // An object without own fields could be anything (a Map has none either): the general codec tells.
  // The same for names that are no Unicode text, which the registry could not keep.
  if (names.length === 0 || names.length > MAX_COLUMNS || !names.every((name) => name.isWellFormed())) return general();
  const fields = names.map((name) => [name, inferNested((value as Record<string, unknown>)[name], encoding, depth + 1, width)] as const);
  return { type: 'record', fields, optional: false };
}

function isNil(node: LayoutNode): boolean {
  return node.type === 'leaf' && node.kind === 'nil';
}

function withOptional(node: LayoutNode, makeOptional: boolean): LayoutNode {
  return makeOptional ? optional(node) : node;
}

function widenFields(
  a: Extract<LayoutNode, { type: 'record' }>,
  b: Extract<LayoutNode, { type: 'record' }>,
  encoding: EdgeEncoding,
): readonly (readonly [string, LayoutNode])[] {
  const seen = new Map(b.fields);
  const fields: (readonly [string, LayoutNode])[] = a.fields.map(([name, node]) => {
    const other = seen.get(name);
    seen.delete(name);
    return [name, other === undefined ? optional(node) : widenNodes(node, other, encoding)] as const;
  });
  for (const [name, node] of seen) fields.push([name, optional(node)] as const);
  return fields;
}

/**
 * The least node that holds everything `a` and everything `b` holds. Commutative up to the order of fields,
 * associative, idempotent: instances that see the same records in another order agree on the types.
 */
export function widenNodes(a: LayoutNode, b: LayoutNode, encoding: EdgeEncoding = 'columns'): LayoutNode {
  if (isNil(a)) return optional(b);
  if (isNil(b)) return optional(a);
  const opt = a.optional || b.optional;
  if (a.type === 'leaf' && b.type === 'leaf') {
    if (a.kind === b.kind) return withOptional(a, opt);
    const numeric = (kind: string): boolean => kind === 'f64' || kind === 'i32';
    if (numeric(a.kind) && numeric(b.kind)) return leaf('f64', opt);
    return fallbackLeaf(encoding, opt);
  }
  if (a.type === 'record' && b.type === 'record') {
    const node: LayoutNode = { type: 'record', fields: widenFields(a, b, encoding), optional: opt };
    return countColumns(node) > MAX_COLUMNS ? fallbackLeaf(encoding, opt) : node;
  }
  if (a.type === 'tuple' && b.type === 'tuple' && a.items.length === b.items.length) {
    const node: LayoutNode = { type: 'tuple', items: a.items.map((item, i) => widenNodes(item, b.items[i]!, encoding)), optional: opt };
    return countColumns(node) > MAX_COLUMNS ? fallbackLeaf(encoding, opt) : node;
  }
  return fallbackLeaf(encoding, opt);
}

/** The node of a key column for `key`: `docs/internals/data-path.md`, section 4. */
export function inferKeyNode(key: unknown): LeafNode {
  switch (typeof key) {
    case 'number':
      return leaf('f64');
    case 'string':
      return leaf('str');
    case 'boolean':
      return leaf('bool');
    default:
      return leaf('bytes');
  }
}
