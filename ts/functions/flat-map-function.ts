import { CollectingFunction } from './collecting-function.ts';

/** What a flat map may return: an iterable is flattened, a string is one record, nothing is no record. */
// eslint-disable-next-line typescript/no-invalid-void-type -- functions that only collect return nothing
export type FlatMapOutput<Out> = Iterable<Out> | AsyncIterable<Out> | null | undefined | void;

/**
 * Zero, one or many records for each record: by return value, by `collect`, or both.
 *
 * ```ts
 * class Words extends FlatMapFunction<string, string> {
 *   execute(line: string) {
 *     for (const word of line.split(' ')) if (word !== '') this.collect(word);
 *   }
 * }
 * env.fromCollection(['to be', 'or not']).flatMap(Words).print();
 * ```
 */
export abstract class FlatMapFunction<In, Out> extends CollectingFunction<Out> {
  /** Returned iterables are flattened (strings are not). Collected records come first. May be async. */
  abstract execute(record: In): FlatMapOutput<Out> | Promise<FlatMapOutput<Out>>;
}
