import { BaseFunction } from './base-function.ts';

/** Takes records out of the pipeline. */
export abstract class SinkFunction<In> extends BaseFunction {
  /** Takes one record. A returned promise is awaited before the next record comes. */
  abstract execute(record: In): unknown;
}
