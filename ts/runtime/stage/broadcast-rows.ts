/** A broadcast record, which stands before a row of the batch that it belongs to. */
export interface BroadcastRow {
  readonly before: number;
  readonly record: unknown;
  /** Event time, where records have it. */
  readonly time: number | undefined;
}

/**
 * Broadcast records that wait for their turn among the rows of an open batch, in which they are no rows: they have no key. So it costs no batch
 * of its own that one comes, and it meets the records in the order in which they came.
 */
export class BroadcastRows {
  #waiting: BroadcastRow[] = [];

  get size(): number {
    return this.#waiting.length;
  }

  add(row: BroadcastRow): void {
    this.#waiting.push(row);
  }

  /** Takes those that belong to the first rows; what is left belongs to the rows behind. */
  take(rows: number): BroadcastRow[] {
    if (this.#waiting.length === 0) return [];
    const taken = this.#waiting.filter(({ before }) => before <= rows);
    this.#waiting = this.#waiting.filter(({ before }) => before > rows).map((row) => ({ ...row, before: row.before - rows }));
    return taken;
  }
}
