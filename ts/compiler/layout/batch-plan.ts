import { type Layout, type LayoutNode, type LeafNode, leaf } from './layout.ts';

/** What one buffer of a batch holds. */
export type BufferRole = 'presence' | 'f64' | 'i32' | 'u8' | 'ends' | 'data';

/** Where the buffers of one node are, by their index in the batch. */
export interface PlannedNode {
  readonly node: LayoutNode;
  /** Index of the presence buffer, or -1. */
  readonly presence: number;
  /** Index of the first value buffer of a leaf, or -1. */
  readonly values: number;
  /** Index into the encodings of a leaf with text, or -1. */
  readonly encoding: number;
  readonly children: readonly PlannedNode[];
}

/** The flattened form of a layout: `docs/internals/data-path.md`, section 1. */
export interface BatchPlan {
  readonly layout: Layout;
  readonly key: PlannedNode | undefined;
  readonly time: PlannedNode | undefined;
  readonly row: PlannedNode;
  readonly buffers: readonly BufferRole[];
  readonly encodings: number;
}

/** Whether the leaf has text: strings, JSON texts and the string pool of `any`. */
export function hasText(node: LeafNode): boolean {
  return node.kind === 'str' || node.kind === 'json' || node.kind === 'any';
}

const VALUE_BUFFERS: Readonly<Record<LeafNode['kind'], readonly BufferRole[]>> = {
  f64: ['f64'],
  date: ['f64'],
  i32: ['i32'],
  bool: ['u8'],
  str: ['ends', 'data'],
  json: ['ends', 'data'],
  bytes: ['ends', 'data'],
  any: ['ends', 'data', 'ends', 'data'],
  nil: [],
};

/** Numbers the buffers and encodings of a layout in depth-first order: key, time, row. */
export function planBatch(layout: Layout): BatchPlan {
  const buffers: BufferRole[] = [];
  let encodings = 0;
  const visit = (node: LayoutNode): PlannedNode => {
    let presence = -1;
    if (node.optional) {
      presence = buffers.length;
      buffers.push('presence');
    }
    if (node.type !== 'leaf') {
      const children = node.type === 'record' ? node.fields.map(([, child]) => visit(child)) : node.items.map(visit);
      return { node, presence, values: -1, encoding: -1, children };
    }
    const values = buffers.length;
    buffers.push(...VALUE_BUFFERS[node.kind]);
    const encoding = hasText(node) ? encodings++ : -1;
    return { node, presence, values, encoding, children: [] };
  };
  const key = layout.key === undefined ? undefined : visit(layout.key);
  const time = layout.timed ? visit(leaf('f64')) : undefined;
  return { layout, key, time, row: visit(layout.row), buffers, encodings };
}
