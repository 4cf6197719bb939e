import type { BatchPlan, PlannedNode } from '../../compiler/layout/batch-plan.ts';
import { MISSING, NULL, PRESENT } from '../../compiler/layout/layout.ts';
import type { BatchReader } from './batch-reader.ts';

type Read = (row: number) => unknown;

/** The decoder without `new Function`: what `compiler/codegen/decoder.ts` generates, as closures over one loaded batch. */
export interface LinkedDecoder {
  readonly key: Read | undefined;
  readonly time: ((row: number) => number) | undefined;
  readonly record: Read;
}

/** Links the decoder of the batch that `reader` has loaded; valid until it loads the next one. */
export function linkDecoder(plan: BatchPlan, reader: BatchReader): LinkedDecoder {
  return {
    key: plan.key === undefined ? undefined : linkNode(plan.key, reader),
    time: plan.time === undefined ? undefined : (linkNode(plan.time, reader) as (row: number) => number),
    record: linkNode(plan.row, reader),
  };
}

/** The items of a tuple row, one reader each. */
export function linkTupleColumns(plan: BatchPlan, reader: BatchReader): Read[] {
  return plan.row.children.map((child) => linkNode(child, reader));
}

function linkNode(planned: PlannedNode, reader: BatchReader): Read {
  const present = linkPresent(planned, reader);
  if (planned.presence < 0) return present;
  const presence = reader.bytes(planned.presence);
  return (row) => {
    const state = presence[row];
    if (state === PRESENT) return present(row);
    return state === NULL ? null : undefined;
  };
}

function linkPresent(planned: PlannedNode, reader: BatchReader): Read {
  const { node } = planned;
  if (node.type === 'tuple') {
    const items = planned.children.map((child) => linkNode(child, reader));
    return (row) => items.map((item) => item(row));
  }
  if (node.type === 'record') {
    const children = planned.children.map((child) => linkNode(child, reader));
    const presences = planned.children.map((child) => (child.presence < 0 ? undefined : reader.bytes(child.presence)));
    return (row) => {
      const record: Record<string, unknown> = {};
      node.fields.forEach(([name], n) => {
        if (presences[n]?.[row] === MISSING) return;
        Object.defineProperty(record, name, { value: children[n]!(row), writable: true, enumerable: true, configurable: true });
      });
      return record;
    };
  }
  const at = planned.values;
  const base = (buffer: number, shift: number): number => reader.I32[4 + 2 * buffer]! >> shift;
  const start = (ends: number, row: number): number => (row === 0 ? 0 : reader.U32[ends + row - 1]!);
  switch (node.kind) {
    case 'f64': {
      const values = base(at, 3);
      return (row) => reader.F64[values + row];
    }
    case 'date': {
      const values = base(at, 3);
      return (row) => new Date(reader.F64[values + row]!);
    }
    case 'i32': {
      const values = base(at, 2);
      return (row) => reader.I32[values + row];
    }
    case 'bool': {
      const values = base(at, 0);
      return (row) => reader.U8[values + row] === 1;
    }
    case 'str':
    case 'json': {
      const ends = base(at, 2);
      const text = reader.text(at + 1, planned.encoding);
      const slice = (row: number): string => text.substring(start(ends, row), reader.U32[ends + row]!);
      return node.kind === 'str' ? slice : (row) => JSON.parse(slice(row)) as unknown;
    }
    case 'bytes': {
      const ends = base(at, 2);
      const bytes = reader.bytes(at + 1);
      return (row) => reader.readKey(bytes, start(ends, row), reader.U32[ends + row]!);
    }
    case 'any': {
      const ends = base(at, 2);
      const pool = base(at + 2, 2);
      const values = reader.values(at + 1, at + 3, planned.encoding);
      return (row) => values.read(start(ends, row), start(pool, row));
    }
    default:
      return () => undefined;
  }
}
