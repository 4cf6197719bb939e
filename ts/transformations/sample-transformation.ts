import type { SourceLocation } from '../common/source-location.ts';
import { BaseTransformation } from './base-transformation.ts';
import type { KeyByTransformation } from './key-by-transformation.ts';

/** Which records a sample takes: each with a probability, or one out of so many. */
export type SampleSettings =
  | { readonly fraction: number; readonly seed: number }
  | { readonly every: number };

/** Lets some of the records pass, in each instance for itself. */
export class SampleTransformation extends BaseTransformation {
  readonly kind = 'sample';
  readonly settings: SampleSettings;

  constructor(input: BaseTransformation, settings: SampleSettings, declaredAt: SourceLocation) {
    super('sample', [input], declaredAt);
    this.settings = settings;
  }

  override get keyedBy(): KeyByTransformation | undefined {
    return this.inputs[0]?.keyedBy;
  }
}
