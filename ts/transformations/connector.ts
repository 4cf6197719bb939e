import type { SinkDescriptor } from './sink-descriptor.ts';
import type { SourceDescriptor } from './source-descriptor.ts';

/** A connector that gives records of type `T`; what `fromSource` takes. */
export interface Source<out T> {
  /** What the compiler needs to know. Nothing is opened. */
  describe(): SourceDescriptor;
  /** Only for the type; never set. */
  readonly record?: T;
  /** A source is no sink. */
  readonly accepts?: never;
}

/** A connector that takes records of type `T`; what `sink` takes. */
export interface Sink<in T> {
  /** What the compiler needs to know. Nothing is opened. */
  describe(): SinkDescriptor;
  /** Only for the type; never set. */
  readonly accepts?: (record: T) => void;
  /** A sink is no source. */
  readonly record?: never;
}
