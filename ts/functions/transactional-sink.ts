import type { UserFunction } from './user-function.ts';

/** One transaction of a transactional sink: what it has taken between two checkpoints. */
export interface Transaction {
  /** The same whenever it is committed, also by another process; no other transaction of any job has it. What a commit that may be repeated is known by. */
  readonly id: string;
  /** `uid` of the sink, else `name:` and its name. */
  readonly operator: string;
  /** The instance that has prepared it, from 0. With another parallelism behind a restart another instance commits it. */
  readonly instance: number;
  /** The checkpoint that it was prepared for; for the last one of a sink, the first that can have it. 1 in a job without checkpoints. */
  readonly epoch: number;
}

/**
 * A sink whose records become visible together with the checkpoint that they belong to, and only once: a `SinkFunction`, or an object with `execute`,
 * that has these methods too. `execute` writes where nobody looks yet, or keeps the record. At a checkpoint `prepare` gives a handle, which is saved
 * with it; when the checkpoint is safe on disk, `commit` makes visible what the handle stands for. Behind a restart each handle of the checkpoint is
 * committed again before the sink gets a record, as nobody knows whether that has happened: a second `commit` of a transaction has to do nothing.
 *
 * ```ts
 * const table: number[] = [];
 * const done = new Set<string>();
 * class Rows extends SinkFunction<number> implements TransactionalSink<readonly number[]> {
 *   #rows: number[] = [];
 *   execute(row: number) {
 *     this.#rows.push(row);
 *   }
 *   prepare() {
 *     const rows = this.#rows;
 *     this.#rows = [];
 *     return rows.length === 0 ? undefined : rows;
 *   }
 *   commit(rows: readonly number[], { id }: Transaction) {
 *     if (done.has(id)) return;
 *     done.add(id);
 *     table.push(...rows);
 *   }
 * }
 * env.fromCollection([1, 2, 3]).sink(Rows);
 * ```
 *
 * In a job without checkpoints there is one transaction, which is committed when the job has come to its end.
 */
export interface TransactionalSink<H = unknown> {
  /**
   * Ends the transaction at hand, and begins the next one with the next record: called between two records, at each checkpoint and at the end of the
   * input, and awaited. What it gives is saved as it is now and must not be changed afterwards: plain data that can be cloned, such as the records
   * themselves or the name of what was written; `undefined` when there is nothing to commit. An error fails the job.
   */
  prepare(transaction: Transaction): H | undefined | Promise<H | undefined>;
  /**
   * Makes visible what was prepared, once, however often it is called with the same transaction. Transactions of an instance come one by one, in their order, also while
   * `execute` is awaited. A failure is tried again as `onError` says (`{ retry, backoffMs, then }`), and fails the job in the end, whatever `then` is: nothing is left out.
   */
  commit(handle: H, transaction: Transaction): void | Promise<void>;
  /** Called before `close` when the job has failed or was cancelled: what was taken and not prepared comes again. What was prepared must stay: a checkpoint may have it. */
  abort?(): void | Promise<void>;
  /**
   * Called once behind `open`, and behind the commits of the checkpoint that the job goes on from: whatever else is still prepared by this instance, or
   * by those whose number is `parallelIndex` modulo `parallelism`, is of no checkpoint that the job goes on from, and can be given up.
   */
  recovered?(): void | Promise<void>;
}

/** Whether a value has both methods. */
export function isTransactionalSink(value: unknown): value is TransactionalSink {
  if (typeof value !== 'object' || value === null) return false;
  const { prepare, commit } = value as Partial<TransactionalSink>;
  return typeof prepare === 'function' && typeof commit === 'function';
}

/** As `isTransactionalSink`, of what was given to `sink`. */
export function isTransactionalFunction(fn: UserFunction): boolean {
  return fn.form !== 'lambda' && isTransactionalSink(fn.form === 'class' ? fn.ctor.prototype : fn.object);
}
