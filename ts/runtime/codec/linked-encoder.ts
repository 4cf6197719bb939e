import type { BufferOffsets } from '../../compiler/codegen/encoder.ts';
import type { BatchPlan, PlannedNode } from '../../compiler/layout/batch-plan.ts';
import type { EdgeEncoding } from '../../compiler/layout/infer-layout.ts';
import type { BoundEncoder, EncoderHost, ImageViews, ValueColumns } from './batch-writer.ts';
import type { KeyBytesWriter } from './key-bytes.ts';

/** What a linked encoder is bound to. */
export interface LinkedEncoderOptions {
  readonly capacityRows: number;
  readonly textLimit: number;
  readonly values: ValueColumns;
  readonly keyBytes: KeyBytesWriter;
  readonly host: EncoderHost;
}

/** Whether the value fits; if so `write` may be called. */
interface LinkedNode {
  check(value: unknown, has: boolean): boolean;
  write(value: unknown, row: number, present: boolean, has: boolean, owners: readonly unknown[]): void;
}

/**
 * The encoder without `new Function`: the same guards and writes as closures over the plan. Slower, and only used where
 * code generation is forbidden.
 */
export function linkEncoder(
  plan: BatchPlan,
  offsets: BufferOffsets,
  encoding: EdgeEncoding,
  views: ImageViews,
  options: LinkedEncoderOptions,
): BoundEncoder {
  const linker = new Linker(offsets, encoding, views, options, plan.encodings);
  const key = plan.key === undefined ? undefined : linker.node(plan.key);
  const row = linker.node(plan.row);
  const times = plan.time === undefined ? undefined : offsets[plan.time.values]! / 8;
  let rows = 0;
  return {
    append(value, keyValue, time) {
      if ((key !== undefined && !key.check(keyValue, true)) || !row.check(value, true)) {
        options.host.miss(value, keyValue, time);
        return;
      }
      key?.write(keyValue, rows, true, true, []);
      row.write(value, rows, true, true, []);
      if (times !== undefined) views.F64[times + rows] = time!;
      rows++;
      const text = linker.texts.reduce((sum, t) => sum + t.length, 0);
      if (rows === options.capacityRows || text > options.textLimit || options.values.bytes() > options.textLimit) {
        options.host.full();
      }
    },
    rows: () => rows,
    text: (n) => linker.texts[n]!,
    reset() {
      rows = 0;
      linker.texts.fill('');
    },
  };
}

class Linker {
  readonly texts: string[];
  readonly #offsets: BufferOffsets;
  readonly #encoding: EdgeEncoding;
  readonly #views: ImageViews;
  readonly #options: LinkedEncoderOptions;

  constructor(
    offsets: BufferOffsets,
    encoding: EdgeEncoding,
    views: ImageViews,
    options: LinkedEncoderOptions,
    encodings: number,
  ) {
    this.#offsets = offsets;
    this.#encoding = encoding;
    this.#views = views;
    this.#options = options;
    this.texts = new Array<string>(encodings).fill('');
  }

  node(planned: PlannedNode): LinkedNode {
    const inner = this.#inner(planned);
    if (planned.presence < 0) return inner;
    const base = this.#offsets[planned.presence]!;
    const { U8 } = this.#views;
    const json = planned.node.type === 'leaf' && planned.node.kind === 'json';
    const nil = planned.node.type === 'leaf' && planned.node.kind === 'nil';
    return {
      check: (value, has) => json || value === null || value === undefined || (!nil && inner.check(value, has)),
      write: (value, row, present, has, owners) => {
        const text = json && present ? (JSON.stringify(value) as string | undefined) : value;
        let presence = 0;
        if (!present || (json && text === undefined)) presence = 3;
        else if (!json && value === null) presence = 1;
        else if (!json && value === undefined) presence = has ? 2 : 3;
        U8[base + row] = presence;
        inner.write(text, row, presence === 0, has, owners);
      },
    };
  }

  #inner(planned: PlannedNode): LinkedNode {
    const { node } = planned;
    if (node.type === 'record') return this.#record(planned, node.fields.map(([name]) => name));
    if (node.type === 'tuple') {
      const items = planned.children.map((child) => this.node(child));
      return {
        check: (value) =>
          Array.isArray(value) && value.length === items.length && items.every((item, n) => Object.hasOwn(value, n) && item.check(value[n], true)),
        write: (value, row, present, _has, owners) => {
          const inner = [...owners, value];
          items.forEach((item, n) => item.write(present ? (value as unknown[])[n] : undefined, row, present, true, inner));
        },
      };
    }
    return this.#leaf(planned, node.kind);
  }

  #record(planned: PlannedNode, names: readonly string[]): LinkedNode {
    const children = planned.children.map((child) => this.node(child));
    const json = this.#encoding === 'json';
    return {
      check: (value) => {
        if (typeof value !== 'object' || value === null || !this.#options.host.isRecord(value)) return false;
        const record = value as Record<string, unknown>;
        if (json && record['toJSON'] !== undefined) return false;
        let count = 0;
        for (const _ in record) count++;
        let expected = 0;
        for (const name of names) if (Object.hasOwn(record, name)) expected++;
        if (count === 0 || count !== expected) return false;
        return names.every((name, n) =>
          Object.hasOwn(record, name) || planned.children[n]!.presence >= 0
            ? children[n]!.check(Object.hasOwn(record, name) ? record[name] : undefined, Object.hasOwn(record, name))
            : false,
        );
      },
      write: (value, row, present, _has, owners) => {
        const inner = [...owners, value];
        names.forEach((name, n) => {
          const record = value as Record<string, unknown>;
          children[n]!.write(present && Object.hasOwn(record, name) ? record[name] : undefined, row, present, present && Object.hasOwn(record, name), inner);
        });
      },
    };
  }

  #leaf(planned: PlannedNode, kind: string): LinkedNode {
    const { F64, U32, U8 } = this.#views;
    const base = this.#offsets[planned.values]!;
    const { values, keyBytes } = this.#options;
    const repeat = (index: number, row: number): void => {
      U32[index + row] = row === 0 ? 0 : U32[index + row - 1]!;
    };
    switch (kind) {
      case 'f64':
        return {
          check: (value) => typeof value === 'number',
          write: (value, row, present) => {
            F64[base / 8 + row] = present ? (value as number) : 0;
          },
        };
      case 'date':
        return {
          check: (value) => value instanceof Date && Object.getPrototypeOf(value) === Date.prototype,
          write: (value, row, present) => {
            F64[base / 8 + row] = present ? (value as Date).getTime() : 0;
          },
        };
      case 'bool':
        return {
          check: (value) => typeof value === 'boolean',
          write: (value, row, present) => {
            U8[base + row] = present && value === true ? 1 : 0;
          },
        };
      case 'str':
      case 'json':
        return {
          check: (value) => kind === 'json' || typeof value === 'string',
          write: (value, row, present) => {
            if (present) this.texts[planned.encoding] += value as string;
            U32[base / 4 + row] = this.texts[planned.encoding]!.length;
          },
        };
      case 'bytes':
        return {
          check: () => true,
          write: (value, row, present) => {
            if (present) U32[base / 4 + row] = keyBytes.write(value);
            else repeat(base / 4, row);
          },
        };
      case 'any': {
        const pool = this.#offsets[planned.values + 2]! / 4;
        return {
          check: () => true,
          write: (value, row, present, _has, owners) => {
            if (!present) {
              repeat(base / 4, row);
              repeat(pool, row);
              return;
            }
            const writer = values.column(planned.encoding);
            writer.write(value, ...owners);
            U32[base / 4 + row] = writer.length;
            U32[pool + row] = writer.pool.length;
          },
        };
      }
      default:
        return { check: () => false, write: () => undefined };
    }
  }
}
