import { threadId } from 'node:worker_threads';

import { type CustomTrigger, type TriggerContext, type TriggerDecision, type WindowBounds, count, definePipeline, sum, tumbling } from '../../../ts/index.ts';

interface Sale {
  readonly shop: number;
  readonly at: number;
  readonly price: number;
}

/** Its fields are those of the thread that has made it. */
class EveryTotal implements CustomTrigger<Sale, number> {
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  init(): number {
    return 0;
  }

  onElement({ price }: Sale, _: WindowBounds, ctx: TriggerContext<number>): TriggerDecision {
    ctx.timers.atEnd();
    ctx.state += price;
    if (ctx.state < this.#most) return 'continue';
    ctx.state = 0;
    return 'fireAndPurge';
  }

  onEventTime(): TriggerDecision {
    return 'fireAndPurge';
  }
}

/** The same as an object. */
const everyHundred: CustomTrigger<Sale, number> = {
  init: () => 0,
  onElement: ({ price }, _, ctx) => {
    ctx.timers.atEnd();
    ctx.state += price;
    if (ctx.state < 100) return 'continue';
    ctx.state = 0;
    return 'fireAndPurge';
  },
  onEventTime: () => 'fireAndPurge',
};

export const SALES: readonly Sale[] = Array.from({ length: 3_000 }, (_, n) => ({ shop: n % 11, at: n, price: (n * 7) % 30 }));

/** What came out, by the form of the trigger. */
export const given: { readonly class: Given[]; readonly object: Given[] } = { class: [], object: [] };

/** A result of windows, and the thread that it comes from. */
export interface Given {
  readonly key: number;
  readonly window: WindowBounds;
  readonly n: number;
  readonly total: number;
  readonly thread: number;
}

/** Windows with triggers of the user's on other threads. */
export const triggeredWindows = definePipeline(import.meta.url, (env, args: { readonly parallelism: number }) => {
  const windows = env.fromCollection(SALES).assignTimestamps('at', { outOfOrdernessMs: 0 }).keyBy('shop').parallelism(args.parallelism).window(tumbling(1000));
  const aggregates = { n: count(), total: sum<Sale>('price') };
  windows.trigger(EveryTotal, 100).aggregate(aggregates).map((result) => ({ ...result, thread: threadId })).parallelism(args.parallelism).sink(given.class);
  windows.trigger(everyHundred).aggregate(aggregates).map((result) => ({ ...result, thread: threadId })).parallelism(args.parallelism).sink(given.object);
});
