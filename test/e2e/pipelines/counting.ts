import { MapFunction, definePipeline, type FunctionContext } from '../../../ts/index.ts';

/** Counts what it sees with metrics of its own. */
class Counting extends MapFunction<number, number> {
  execute(n: number): number {
    this.ctx.metrics.counter('seen').inc();
    this.ctx.metrics.histogram('size').record(n);
    return n;
  }

  override open(ctx: FunctionContext): void {
    ctx.metrics.gauge('instance').set(ctx.parallelIndex);
  }
}

export const counting = definePipeline(import.meta.url, (env, args: { readonly records: number }) => {
  env
    .fromCollection(Array.from({ length: args.records }, (_, n) => n + 1))
    .map(Counting)
    .named('counting')
    .sink(() => {});
});
