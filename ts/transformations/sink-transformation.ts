import type { SourceLocation } from '../common/source-location.ts';
import { BaseTransformation } from './base-transformation.ts';
import type { SinkDescriptor } from './sink-descriptor.ts';

/** Where records end. */
export class SinkTransformation extends BaseTransformation {
  readonly kind = 'sink';
  readonly sink: SinkDescriptor;

  /** @param name `sink`, `print` or `collect`: the call that the user wrote. */
  constructor(input: BaseTransformation, sink: SinkDescriptor, name: string, declaredAt: SourceLocation) {
    super(name, [input], declaredAt);
    this.sink = sink;
  }

  /** A writer of the core fails as a whole. */
  override get canFail(): boolean {
    return this.sink.form !== 'native';
  }
}
