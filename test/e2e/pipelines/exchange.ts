import { threadId } from 'node:worker_threads';

import { type LocalEnvironment, MapFunction, definePipeline } from '../../../ts/index.ts';
import { KEY_KINDS, type KeyKind } from './keys.ts';

/** Where a record has been. */
export interface Trip {
  /** Index of the exchange in the arguments. */
  readonly lane: number;
  readonly n: number;
  readonly key: unknown;
  /** Instance and thread before the exchange, and the number of the record there. */
  readonly from: number;
  readonly fromThread: number;
  readonly sequence: number;
  readonly to?: number;
  readonly toThread?: number;
  /** `ctx.key` behind the exchange. */
  readonly seenKey?: unknown;
}

/** One exchange between two operators. */
export interface ExchangeArgs {
  readonly records: number;
  readonly upstream: number;
  readonly downstream: number;
  readonly keys: KeyKind;
  readonly strategy: 'hash' | 'broadcast' | 'roundRobin';
  /** Instances before the exchange that wait now and then: the others have long ended when these still send. */
  readonly slow?: readonly number[];
}

class Depart extends MapFunction<number, Trip> {
  readonly #lane: number;
  readonly #keys: KeyKind;
  readonly #slow: readonly number[];
  #sequence = 0;

  constructor(lane: number, keys: KeyKind, slow: readonly number[]) {
    super();
    this.#lane = lane;
    this.#keys = keys;
    this.#slow = slow;
  }

  execute(n: number): Trip | Promise<Trip> {
    const trip = { lane: this.#lane, n, key: KEY_KINDS[this.#keys](n), from: this.ctx.parallelIndex, fromThread: threadId, sequence: this.#sequence++ };
    if (!this.#slow.includes(trip.from) || n % 25 !== 0) return trip;
    return new Promise((resolve) => setTimeout(resolve, 1, trip));
  }
}

class Arrive extends MapFunction<Trip, Trip> {
  execute(trip: Trip): Trip {
    return { ...trip, to: this.ctx.parallelIndex, toThread: threadId, seenKey: this.ctx.key };
  }
}

/** What came out, in the main thread. */
export const arrived: Trip[] = [];

/** Any number of exchanges that have nothing to do with each other, in one job: starting threads is what takes time. */
export const exchange = definePipeline(import.meta.url, (env: LocalEnvironment, lanes: readonly ExchangeArgs[]) => {
  lanes.forEach(({ records, upstream, downstream, keys, strategy, slow = [] }, lane) => {
    env
      .fromCollection(Array.from({ length: records }, (_, n) => n))
      .parallelism(upstream)
      .map(Depart, lane, keys, slow)
      .parallelism(upstream)
      .keyBy((trip) => trip.key, { strategy })
      .parallelism(downstream)
      .map(Arrive)
      .sink(arrived);
  });
});
