import { BaseFunction } from './base-function.ts';

/** A finite source that is asked for one record after another. */
export abstract class BatchFunction<Out> extends BaseFunction {
  /** The next record; `null` or `undefined` is the end. May be async. */
  abstract execute(): Out | null | undefined | Promise<Out | null | undefined>;
}
