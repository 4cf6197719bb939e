/**
 * A source that can go on where it was: an iterator, or a source function, with these two methods. With checkpoints its records then
 * come exactly once, also after a failure.
 *
 * ```ts
 * class Ticks extends SourceFunction<number> implements Seekable<number> {
 *   #next = 0;
 *   execute() {
 *     return this.#next < 3 ? this.#next++ : END;
 *   }
 *   position() {
 *     return this.#next;
 *   }
 *   seek(position: number) {
 *     this.#next = position;
 *   }
 * }
 * env.fromSource(Ticks).print();
 * ```
 */
export interface Seekable<P = unknown> {
  /**
   * Where it is behind the record that it gave last: anything that can be cloned. Called before each record when the job has
   * checkpoints, so it should be cheap, and what it gives is kept: an object must not be changed afterwards.
   */
  position(): P;
  /** Goes on from there. Called before `open` and the first record, and awaited. */
  seek(position: P): void | Promise<void>;
}

/** Whether a value has both methods. */
export function isSeekable(value: unknown): value is Seekable {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const { position, seek } = value as Partial<Seekable>;
  return typeof position === 'function' && typeof seek === 'function';
}
