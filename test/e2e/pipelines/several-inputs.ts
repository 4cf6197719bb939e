import { BroadcastProcessFunction, type LocalEnvironment, KeyedCoProcessFunction, definePipeline } from '../../../ts/index.ts';

/** What came out, in the main thread. */
export const given: { totals: { key: string; total: number; instance: number }[]; rules: { instance: number; rules: number[] }[] } = { totals: [], rules: [] };

class Totals extends KeyedCoProcessFunction<string, [number, number], { key: string; total: number; instance: number }> {
  execute0(n: number): void {
    this.ctx.state.value('total', { default: 0 }).update((total) => total + n);
    this.ctx.timers.processingTime(Number.MAX_SAFE_INTEGER);
  }
  execute1(n: number): void {
    this.execute0(-n);
  }
  override onTimer(): void {
    this.collect({ key: this.ctx.key, total: this.ctx.state.value('total', { default: 0 }).get(), instance: this.ctx.parallelIndex });
  }
}

class Rules extends BroadcastProcessFunction<number, number, { instance: number; rules: number[] }> {
  executeBroadcast(rule: number): void {
    this.ctx.broadcast.list('rules').add(rule);
  }
  execute(): void {}
  override finish(): void {
    this.collect({ instance: this.ctx.parallelIndex, rules: [...this.ctx.broadcast.list<number>('rules')] });
  }
}

/** Totals of two streams by key, and rules that all instances have. */
export const severalInputs = definePipeline(import.meta.url, (env: LocalEnvironment, { records, upstream, downstream }: { records: number; upstream: number; downstream: number }) => {
  const numbers = (count: number) => // eslint-disable-line typescript/explicit-function-return-type
    env
      .fromCollection(Array.from({ length: count }, (_, n) => n))
      .map((n) => n)
      .parallelism(upstream);
  const [all, some] = [numbers(records), numbers(records / 2)];
  const totals = all.connect(some).keyBy((n) => `k${n % 11}`).parallelism(downstream).process(Totals);
  totals.sink(given.totals);
  all.connect(env.fromCollection([3, 1, 2]).broadcast()).process(Rules).parallelism(downstream).sink(given.rules);
});
