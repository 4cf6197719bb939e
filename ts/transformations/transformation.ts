import type { AggregateTransformation } from './aggregate-transformation.ts';
import type { FilterTransformation } from './filter-transformation.ts';
import type { FlatMapTransformation } from './flat-map-transformation.ts';
import type { KeyByTransformation } from './key-by-transformation.ts';
import type { MapTransformation } from './map-transformation.ts';
import type { ReduceTransformation } from './reduce-transformation.ts';
import type { SinkTransformation } from './sink-transformation.ts';
import type { SourceTransformation } from './source-transformation.ts';
import type { UnionTransformation } from './union-transformation.ts';

/** Any transformation; `kind` tells which. */
export type Transformation =
  | SourceTransformation
  | MapTransformation
  | FlatMapTransformation
  | FilterTransformation
  | KeyByTransformation
  | ReduceTransformation
  | AggregateTransformation
  | UnionTransformation
  | SinkTransformation;
