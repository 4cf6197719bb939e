import { planError } from '../common/errors.ts';
import type { SourceLocation } from '../common/source-location.ts';
import { describeValue } from '../functions/check-user-function.ts';
import type { DataStream } from './data-stream.ts';
import { checkNumber } from './operator-arguments.ts';
import { checkOptions } from './plan-checks.ts';

/** Options of `asTable`. */
export interface TableOptions<in T> {
  /** Whether a record takes the row of its key away, instead of being its new row. `null` in place of a record does so in any case. */
  readonly deleted?: (record: T) => boolean;
  /**
   * Milliseconds for which a row holds when no other one of its key comes: by event time since its own time, else by the clock since it
   * came. For ever when left away.
   */
  readonly ttlMs?: number;
}

/**
 * A keyed stream as a table that changes: each record is the row of its key from then on. `asTable` of a keyed stream gives it, and `join`
 * takes it.
 *
 * ```ts
 * const prices = env.fromCollection([{ item: 'pen', euro: 2 }, { item: 'pen', euro: 3 }]).keyBy('item').asTable();
 * env.fromCollection([{ item: 'pen', pieces: 4 }]).keyBy('item').join(prices, { type: 'left' }, (sale, price) => ({ ...sale, ...price })).print();
 * ```
 */
export class KeyedTable<out K, out Row> {
  /** Only for the type; never set. */
  declare readonly key?: K;
  /** Only for the type; never set. */
  declare readonly row?: Row;
  /** The changes of the table. */
  readonly changes: DataStream<unknown>;
  /** What `asTable` was told. */
  readonly options: TableOptions<never>;

  /** Streams create it; users get it from `asTable`. */
  constructor(changes: DataStream<unknown>, options: TableOptions<never>) {
    this.changes = changes;
    this.options = options;
  }
}

/** The options of `asTable`. @throws SageError SAGE_PLAN_ARGUMENT */
export function toTableOptions(value: unknown, declaredAt: SourceLocation): TableOptions<never> {
  const { deleted, ttlMs } = checkOptions(value, ['deleted', 'ttlMs'], 'asTable', declaredAt);
  if (deleted !== undefined && typeof deleted !== 'function') {
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `deleted of asTable is ${describeValue(deleted)}`,
      expected: 'a function that says whether a record deletes the row of its key',
      found: describeValue(deleted),
      fix: "Write asTable({ deleted: (record) => record.op === 'delete' }).",
      declaredAt,
    });
  }
  return {
    ...(deleted === undefined ? {} : { deleted: deleted as (record: never) => boolean }),
    ...(ttlMs === undefined ? {} : { ttlMs: checkNumber(ttlMs, 'ttlMs of asTable', { least: 1, whole: false }, declaredAt) }),
  };
}
