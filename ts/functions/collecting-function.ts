import { SageError } from '../common/errors.ts';
import { BaseFunction } from './base-function.ts';

/** Takes what a function collects. */
export type Collector = (record: unknown) => void;

/** A function that gives its results one by one, with `collect`. */
export abstract class CollectingFunction<Out> extends BaseFunction {
  private sageCollector: Collector | undefined;

  /**
   * Emits one record. Only while the function works on a record, or in `finish`.
   *
   * @throws SageError SAGE_ENV_CONTEXT before `open`, and when the operator has ended.
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
  static connect(target: CollectingFunction<unknown>, collector: Collector | undefined): void {
    target.sageCollector = collector;
  }
}
