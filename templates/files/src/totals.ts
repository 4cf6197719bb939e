import { count, definePipeline, FileSource, JsonLinesSink, type LocalEnvironment, sum } from 'sage-kernel';

/** A line of the input. */
export interface Order {
  readonly id: number;
  readonly customer: string;
  readonly price: number;
  readonly paid: boolean;
}

/** A line of the output. */
export interface CustomerTotal {
  readonly key: string;
  readonly orders: number;
  readonly total: number;
}

/**
 * What each customer has paid. In a module of its own, so that worker threads can import it: they build the same pipeline
 * from the same arguments.
 */
export const totals = definePipeline(import.meta.url, (env: LocalEnvironment, args: { readonly input: string; readonly output: string }) => {
  env
    .fromSource(FileSource.jsonLines<Order>(args.input))
    .filter((order) => order.paid)
    .keyBy('customer')
    .aggregate({ orders: count(), total: sum('price') })
    .sink(new JsonLinesSink(args.output, { mkdir: true }));
});
