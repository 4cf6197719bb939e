import { BaseFunction } from './base-function.ts';

/** What a call of `lookup` is told beside its key. */
export interface LookupCall {
  /** Aborted when nobody waits for the row any more: all attempts have run out of time, or the job is cancelled or has failed. */
  readonly signal: AbortSignal;
}

/** A row, or none: `undefined` or `null`. */
export type LookupResult<Row> = Row | undefined | null | Promise<Row | undefined | null>;

/** For each key of a batch its row, in the order of the keys; `undefined` or `null` where there is none. */
export type LookupResults<Row> = readonly (Row | undefined | null)[] | Promise<readonly (Row | undefined | null)[]>;

/**
 * Finds the row of a key, for `lookup` of a stream: with a client of its own, made in `open` and closed in `close`. With
 * `lookupBatch`, and the option `batch`, it finds many at once.
 *
 * ```ts
 * class Users extends LookupFunction<number, { name: string }> {
 *   #rows = new Map<number, { name: string }>();
 *   override open() {
 *     this.#rows.set(1, { name: 'Ada' });
 *   }
 *   async lookup(id: number) {
 *     return this.#rows.get(id);
 *   }
 * }
 * env
 *   .fromCollection([{ user: 1 }, { user: 2 }])
 *   .lookup(Users, { key: 'user', concurrency: 4, type: 'left' }, ({ user }, row) => `${user}: ${row?.name ?? 'nobody'}`)
 *   .print();
 * ```
 */
export abstract class LookupFunction<K, Row> extends BaseFunction {
  /** The row of a key; several calls may be in flight. */
  abstract lookup(key: K, call: LookupCall): LookupResult<Row>;

  /** The rows of several keys: called in place of `lookup` with the option `batch`. */
  lookupBatch?(keys: readonly K[], call: LookupCall): LookupResults<Row>;

  /** What the operator calls: one lookup. */
  execute(key: K, call: LookupCall): LookupResult<Row> {
    return this.lookup(key, call);
  }
}
