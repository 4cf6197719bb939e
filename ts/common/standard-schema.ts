/**
 * What schema libraries (zod, valibot, arktype ...) have in common: the interface of standardschema.dev, version 1, with
 * the JSON Schema that newer versions of them also give. Any object or function with such a `~standard` is a schema.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** By this property schemas of different libraries are known and used alike. */
  readonly '~standard': StandardSchemaProperties<Input, Output>;
}

/** What is behind `~standard`. */
export interface StandardSchemaProperties<Input = unknown, Output = Input> {
  /** Of the Standard Schema specification. */
  readonly version: 1;
  /** Name of the library. */
  readonly vendor: string;
  /** Gives the value as the schema makes it, or what is wrong with it; a promise where the schema is asynchronous. */
  readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
  /** Only for the types; never set. */
  readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  /** The schema as JSON Schema, for libraries that can say it; throws where it cannot be said. */
  readonly jsonSchema?: {
    readonly input: (options: JsonSchemaOptions) => Record<string, unknown>;
    readonly output: (options: JsonSchemaOptions) => Record<string, unknown>;
  };
}

/** Which JSON Schema is wanted. */
export interface JsonSchemaOptions {
  readonly target: 'draft-2020-12' | 'draft-07' | (string & {});
  readonly libraryOptions?: Record<string, unknown> | undefined;
}

/** What `validate` gives: the value as the schema makes it, or what is wrong with it. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** One thing that is wrong with a value, as the library says it. */
export interface StandardIssue {
  /** What is wrong, in words. */
  readonly message: string;
  /** Where in the value: keys from the outside in; the value itself when left away. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The type that a schema takes. */
export type SchemaInput<S extends StandardSchema> = NonNullable<S['~standard']['types']>['input'];

/** The type that a schema gives. */
export type SchemaOutput<S extends StandardSchema> = NonNullable<S['~standard']['types']>['output'];

/** Whether `value` is a schema of version 1 of the standard. Some libraries make functions of them. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const standard = (value as { readonly '~standard'?: Partial<StandardSchemaProperties> })['~standard'];
  return typeof standard === 'object' && standard !== null && standard.version === 1 && typeof standard.validate === 'function';
}
