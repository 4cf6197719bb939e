import type { SourceLocation } from '../common/source-location.ts';
import { BaseTransformation } from './base-transformation.ts';
import type { SourceDescriptor } from './source-descriptor.ts';

/** Where records begin. */
export class SourceTransformation extends BaseTransformation {
  readonly kind = 'source';
  readonly source: SourceDescriptor;

  constructor(source: SourceDescriptor, declaredAt: SourceLocation) {
    super('source', [], declaredAt);
    this.source = source;
  }

  /** A function that has failed can be called again; an iterator that has thrown is at its end. */
  override get canFail(): boolean {
    return this.source.form === 'function' || this.source.form === 'batch';
  }
}
