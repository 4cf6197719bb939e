import { BaseFunction } from './base-function.ts';

/** A filter with state, constructor arguments, or `open` and `close`. */
export abstract class FilterFunction<In> extends BaseFunction {
  /** The record passes when the result is truthy. May be async. */
  abstract execute(record: In): unknown;
}
