import { setImmediate as nextTurn } from 'node:timers/promises';

import { type LocalEnvironment, SinkFunction, definePipeline } from '../../../ts/index.ts';
import { Tally } from '../support/tally.ts';

/** What lies between the sources and the sinks. */
export type Shape = 'one sink' | 'a slow branch of two' | 'two stages' | 'parallel sinks' | 'a union of three' | 'long lists';

/** One case. */
export interface SlowSinksArgs {
  readonly shape: Shape;
  /** Of all sources together. */
  readonly records: number;
  /** Of `Tally`. */
  readonly tally: SharedArrayBuffer;
}

/** The sink that waits, and one that does not. */
export const SLOW = 0;
export const FAST = 1;
/** The slow sink awaits each record, and now and then it gives the event loop a turn. */
const TURN_EVERY = 8;

function numbers(args: SlowSinksArgs, from: number, step: number): () => Generator<number> {
  const tally = new Tally(args.tally);
  return function* () {
    for (let n = from; n < args.records; n += step) {
      tally.gives();
      yield n;
    }
  };
}

async function wait(n: number): Promise<void> {
  await (n % TURN_EVERY === 0 ? nextTurn() : undefined);
}

class SlowSink extends SinkFunction<number> {
  readonly #tally: Tally;

  constructor(tally: SharedArrayBuffer) {
    super();
    this.#tally = new Tally(tally);
  }

  async execute(n: number): Promise<void> {
    await wait(n);
    this.#tally.takes(SLOW);
  }
}

/** Sources that are much faster than one of their sinks. */
export const slowSinks = definePipeline(import.meta.url, (env: LocalEnvironment, args: SlowSinksArgs) => {
  const tally = new Tally(args.tally);
  const slow = async (n: number): Promise<void> => {
    await wait(n);
    tally.takes(SLOW);
  };
  const all = numbers(args, 0, 1);
  switch (args.shape) {
    case 'one sink':
      env.fromSource(all).map((n) => n + 1).sink(slow);
      break;
    case 'a slow branch of two': {
      const source = env.fromSource(all);
      source.map((n) => n + 1).sink(() => tally.takes(FAST));
      source.map((n) => n - 1).sink(slow);
      break;
    }
    case 'two stages':
      env.fromSource(all).map((n) => n + 1).parallelism(2).keyBy((n) => n % 100).parallelism(2).map((n) => n).sink(slow);
      break;
    case 'parallel sinks':
      env.fromSource(all).sink(SlowSink, { args: [args.tally] }).parallelism(2);
      break;
    case 'long lists':
      env
        .fromCollection([0, 1, 2])
        .flatMap((nth) => Array.from({ length: args.records / 3 }, (_, n) => 3 * n + nth))
        .map((n) => {
          tally.gives();
          return n;
        })
        .sink(slow);
      break;
    case 'a union of three':
      env
        .fromSource(numbers(args, 0, 3))
        .union(env.fromSource(numbers(args, 1, 3)), env.fromSource(numbers(args, 2, 3)))
        .sink(slow);
      break;
  }
});
