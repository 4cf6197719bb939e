import type { EnvironmentConfig } from '../../transformations/environment-config.ts';
import type { Transformation } from '../../transformations/transformation.ts';
import type { Pipeline } from '../logical-plan.ts';
import { describeOperator } from './describe-operator.ts';
import { valueText } from './value-text.ts';

/** What is compared of one operator: texts by name. */
export interface OperatorFingerprint {
  readonly name: string;
  readonly parts: Readonly<Record<string, string>>;
}

/**
 * What decides whether two isolates built the same pipeline; structured-cloneable. Captured variables are not part of it,
 * nor are the records behind an iterable.
 */
export interface Fingerprint {
  /** Texts of the settings by name. */
  readonly config: Readonly<Record<string, string>>;
  readonly operators: readonly OperatorFingerprint[];
}

/** Settings that are objects of one isolate. */
const NOT_COMPARED: ReadonlySet<string> = new Set(['clock', 'logger']);

/** The fingerprint of a pipeline with the config of its environment. */
export function fingerprint(pipeline: Pipeline, config: EnvironmentConfig): Fingerprint {
  const settings = Object.entries(config).filter(([name, value]) => value !== undefined && !NOT_COMPARED.has(name));
  return {
    config: Object.fromEntries(settings.map(([name, value]) => [name, valueText(value)])),
    operators: (pipeline as readonly Transformation[]).map((transformation) => ({
      name: transformation.name,
      parts: {
        kind: transformation.kind,
        name: transformation.name,
        uid: transformation.uid ?? 'none',
        inputs: transformation.inputs.map((input) => `'${input.name}'`).join(', ') || 'none',
        parallelism: String(transformation.parallelism ?? 'not set'),
        'error policy': transformation.errorPolicy === undefined ? 'not set' : valueText(transformation.errorPolicy),
        'main isolate': String(transformation.inMain ?? 'not set'),
        ...describeOperator(transformation),
      },
    })),
  };
}
