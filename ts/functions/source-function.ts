import { BaseFunction } from './base-function.ts';

/** Returned by a source: there will be no more records. */
export const END: unique symbol = Symbol.for('sage.end');
/** The type of {@link END}. */
export type End = typeof END;

/** A source that is asked for one record after another. */
export abstract class SourceFunction<Out> extends BaseFunction {
  /** The next record, `undefined` for "nothing now", or {@link END}. `null` is a record. May be async. */
  abstract execute(): Out | undefined | End | Promise<Out | undefined | End>;
}
