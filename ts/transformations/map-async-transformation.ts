import type { SourceLocation } from '../common/source-location.ts';
import type { UserFunction } from '../functions/user-function.ts';
import { BaseTransformation } from './base-transformation.ts';
import type { RetryPolicy } from './error-policy.ts';
import type { KeyByTransformation } from './key-by-transformation.ts';

/** How the calls of a `mapAsync` run; all settings filled in. */
export interface AsyncSettings {
  /** Calls that run at the same time, in each instance. */
  readonly concurrency: number;
  /** Whether results leave in the order of their records. */
  readonly ordered: boolean;
  /** Calls of one key that run at the same time; no limit of its own when undefined. */
  readonly concurrencyPerKey: number | undefined;
  /** Time of one attempt. */
  readonly timeoutMs: number | undefined;
  /** Attempts behind the first one; the operator's error policy comes after the last. */
  readonly retry: Omit<RetryPolicy, 'then'> | undefined;
}

/** One record for each record, with many calls in flight. */
export class MapAsyncTransformation extends BaseTransformation {
  readonly kind = 'mapAsync';
  readonly fn: UserFunction;
  readonly settings: AsyncSettings;

  constructor(input: BaseTransformation, fn: UserFunction, settings: AsyncSettings, declaredAt: SourceLocation) {
    super('mapAsync', [input], declaredAt);
    this.fn = fn;
    this.settings = settings;
  }

  override get keyedBy(): KeyByTransformation | undefined {
    return this.inputs[0]?.keyedBy;
  }

  override get canFail(): boolean {
    return true;
  }
}
