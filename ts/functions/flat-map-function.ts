import { SageError } from '../common/errors.ts';
import { BaseFunction } from './base-function.ts';

/** What a flat map may return: an iterable is flattened, a string is one record, nothing is no record. */
// eslint-disable-next-line typescript/no-invalid-void-type -- functions that only collect return nothing
export type FlatMapOutput<Out> = Iterable<Out> | AsyncIterable<Out> | null | undefined | void;

/** Takes what a function collects. */
export type Collector = (record: unknown) => void;

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
export abstract class FlatMapFunction<In, Out> extends BaseFunction {
  private sageCollector: Collector | undefined;

  /** Returned iterables are flattened (strings are not). Collected records come first. May be async. */
  abstract execute(record: In): FlatMapOutput<Out> | Promise<FlatMapOutput<Out>>;

  /**
   * Emits one record. Only while `execute` runs.
   *
   * @throws SageError SAGE_ENV_CONTEXT when called before `open`.
   */
  collect(record: Out): void {
    const collector = this.sageCollector;
    if (collector === undefined) {
      throw new SageError('SAGE_ENV_CONTEXT', `${this.name} called collect() outside execute()`, {
        help: 'Call collect() in execute() only: each output belongs to the record in hand.',
      });
    }
    collector(record);
  }

  /** Says where collected records go. The runtime calls it; `undefined` takes the collector away. */
  static connect(target: FlatMapFunction<never, unknown>, collector: Collector | undefined): void {
    target.sageCollector = collector;
  }
}
