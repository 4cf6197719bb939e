import { planError } from '../common/errors.ts';
import type { SourceLocation } from '../common/source-location.ts';
import { checkTimestampOptions, toSelector } from '../datastream/operator-arguments.ts';
import type { TimestampOptions } from '../datastream/stream-options.ts';
import type { FieldPath } from '../functions/field-path.ts';
import type { SourceTimestamps } from '../transformations/source-descriptor.ts';
import type { AllowedSetting } from './connector-arguments.ts';

/** Where the records of a source have their event time; else as the options of `assignTimestamps`. */
export interface SourceTimestampOptions extends TimestampOptions {
  /** The path of the field: `'at'`, `'meta.at'`. */
  readonly field: string;
}

/** Options of sources of records with fields. */
export interface TimestampsOption {
  /**
   * Gives the records their event time, as `assignTimestamps` behind the source would. Each parallel instance has a watermark of its own, and the
   * least of them counts. Not with a `schema`: call `assignTimestamps` behind the source then.
   */
  readonly timestamps?: SourceTimestampOptions;
}

/** What `timestamps` of a source may be; `toSourceTimestamps` says the rest. */
export const TIMESTAMPS: AllowedSetting = {
  accepts: (value) => typeof value === 'object' && value !== null && typeof (value as { field?: unknown }).field === 'string',
  expected: "an object with the path of a field, { field: 'at', outOfOrdernessMs: 5000 }",
};

/** What a source was told of the times of its records. @throws SageError SAGE_PLAN_ARGUMENT */
export function toSourceTimestamps(
  value: unknown,
  { call, hasSchema, columns }: { readonly call: string; readonly hasSchema: boolean; readonly columns: readonly string[] | undefined },
  declaredAt: SourceLocation,
): SourceTimestamps {
  const { field, ...options } = value as { readonly field: string };
  const selector = toSelector(field, `field of timestamps of ${call}`, declaredAt) as FieldPath;
  const [column] = selector.segments;
  if (columns !== undefined && !columns.includes(column)) {
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `timestamps of ${call} are in the column '${column}', which is not read`,
      expected: `one of the columns ${columns.map((name) => `'${name}'`).join(', ')}`,
      found: `'${column}'`,
      fix: `Add '${column}' to columns.`,
      declaredAt,
    });
  }
  if (hasSchema) {
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `${call} was given a schema and timestamps`,
      expected: 'one of the two: a schema may change the field, and onError would have to speak of both',
      fix: `Call assignTimestamps('${field}', ...) behind the source.`,
      declaredAt,
    });
  }
  return { selector, settings: checkTimestampOptions(options, declaredAt) };
}
