import { BaseFunction } from './base-function.ts';

/** A key selector with constructor arguments, or `open` and `close`. */
export abstract class KeyByFunction<In, Key> extends BaseFunction {
  /** The key of a record; every value is a legal key. May be async. */
  abstract execute(record: In): Key | Promise<Key>;
}
