import { BaseFunction } from './base-function.ts';

/** A map with state, constructor arguments, or `open` and `close`. */
export abstract class MapFunction<In, Out> extends BaseFunction {
  /** The record to pass on; `undefined` drops it (counted), `null` is a value. May be async. */
  abstract execute(record: In): Out | undefined | Promise<Out | undefined>;
}
