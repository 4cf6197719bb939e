import type { KeyedResults } from './keyed-operator.ts';
import { RESULT_ROWS } from './keyed-operator.ts';
import type { StreamTime } from './stage-times.ts';

/** What an operator gives below, with how far event time is between its results: all in the order in which it was given. */
export class OrderedResults {
  readonly #isTimed: boolean;
  /** Closed, to go below in this order. */
  readonly #out: (KeyedResults | { readonly kind: 'time'; readonly time: StreamTime })[] = [];
  #records: unknown[] = [];
  #keys: unknown[] = [];
  #times: number[] = [];

  /** @param isTimed whether each result has an event time */
  constructor(isTimed: boolean) {
    this.#isTimed = isTimed;
  }

  /** Whether something waits to be taken, before more is made. */
  get isWaiting(): boolean {
    return this.#out.length > 0;
  }

  /** Whether the open results are as many as are given at a time. */
  get isFull(): boolean {
    return this.#records.length >= RESULT_ROWS;
  }

  add(record: unknown, key: unknown, time: number | undefined): void {
    this.#records.push(record);
    this.#keys.push(key);
    if (this.#isTimed) this.#times.push(time!);
  }

  /** Event time is so far behind the results so far. */
  addTime(time: StreamTime): void {
    this.close();
    this.#out.push({ kind: 'time', time });
  }

  /** Has the open results wait to be taken. */
  close(): void {
    if (this.#records.length === 0) return;
    this.#out.push({ kind: 'records', records: this.#records, keys: this.#keys, times: this.#isTimed ? this.#times : undefined });
    this.#records = [];
    this.#keys = [];
    this.#times = [];
  }

  /** Takes the next results; `say` is told of the times before them. */
  take(say: (time: StreamTime) => void): KeyedResults | undefined {
    for (;;) {
      const next = this.#out.shift();
      if (next?.kind !== 'time') return next;
      say(next.time);
    }
  }
}
