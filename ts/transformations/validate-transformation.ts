import type { SourceLocation } from '../common/source-location.ts';
import type { StandardSchema } from '../common/standard-schema.ts';
import { schemaValidator } from '../functions/schema-validator.ts';
import { lambdaFunction } from '../functions/user-function.ts';
import type { BaseTransformation, Parallelism } from './base-transformation.ts';
import { MapTransformation } from './map-transformation.ts';
import { sourceInstances } from './source-descriptor.ts';
import { SourceTransformation } from './source-transformation.ts';

/** A map whose function is a schema: the compiler can know the fields that it reads and gives. */
export class ValidateTransformation extends MapTransformation {
  readonly schema: StandardSchema;

  /** @param lineOf line of the source that a record came from, where that is known. */
  constructor(input: BaseTransformation, schema: StandardSchema, declaredAt: SourceLocation, lineOf?: (record: unknown) => number | undefined) {
    super(input, lambdaFunction(schemaValidator(schema, lineOf)), declaredAt);
    this.schema = schema;
    this.name = 'validate';
  }

  /**
   * A source with a schema is one operator for the user: what is said of its parallelism is true of both, where the source
   * can be split.
   */
  setSourceParallelism(parallelism: Parallelism): void {
    const [source] = this.inputs;
    const isOne = source instanceof SourceTransformation && source.declaredAt === this.declaredAt;
    if (isOne && sourceInstances(source.source) !== 'one') source.parallelism = parallelism;
  }
}
