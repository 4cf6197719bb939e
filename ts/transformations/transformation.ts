import type { AggregateTransformation } from './aggregate-transformation.ts';
import type { AsOfJoinTransformation } from './as-of-join-transformation.ts';
import type { AssignTimestampsTransformation } from './assign-timestamps-transformation.ts';
import type { BatchTransformation } from './batch-transformation.ts';
import type { BroadcastProcessTransformation } from './broadcast-process-transformation.ts';
import type { CoMapTransformation } from './co-map-transformation.ts';
import type { DedupTransformation } from './dedup-transformation.ts';
import type { FillFutureTransformation } from './fill-future-transformation.ts';
import type { FilterTransformation } from './filter-transformation.ts';
import type { FlatMapTransformation } from './flat-map-transformation.ts';
import type { FromFutureTransformation } from './from-future-transformation.ts';
import type { IntervalJoinTransformation } from './interval-join-transformation.ts';
import type { JoinTransformation } from './join-transformation.ts';
import type { KeyByTransformation } from './key-by-transformation.ts';
import type { KeyedProcessTransformation } from './keyed-process-transformation.ts';
import type { LimitTransformation } from './limit-transformation.ts';
import type { MapAsyncTransformation } from './map-async-transformation.ts';
import type { MapTransformation } from './map-transformation.ts';
import type { ProcessTransformation } from './process-transformation.ts';
import type { RebalanceTransformation } from './rebalance-transformation.ts';
import type { ReduceTransformation } from './reduce-transformation.ts';
import type { RouteTransformation } from './route-transformation.ts';
import type { SampleTransformation } from './sample-transformation.ts';
import type { SelectTransformation } from './select-transformation.ts';
import type { SideOutputTransformation } from './side-output-transformation.ts';
import type { SinkTransformation } from './sink-transformation.ts';
import type { SourceTransformation } from './source-transformation.ts';
import type { UnionTransformation } from './union-transformation.ts';
import type { WindowTransformation } from './window-transformation.ts';
import type { ZipWithIndexTransformation } from './zip-with-index-transformation.ts';
/** Any transformation; `kind` tells which. */
export type Transformation =
  | SourceTransformation
  | MapTransformation
  | FlatMapTransformation
  | FilterTransformation
  | SelectTransformation
  | KeyByTransformation
  | ReduceTransformation
  | AggregateTransformation
  | UnionTransformation
  | CoMapTransformation
  | JoinTransformation
  | IntervalJoinTransformation
  | AsOfJoinTransformation
  | MapAsyncTransformation
  | ProcessTransformation
  | KeyedProcessTransformation
  | BroadcastProcessTransformation
  | BatchTransformation
  | DedupTransformation
  | SampleTransformation
  | LimitTransformation
  | ZipWithIndexTransformation
  | RebalanceTransformation
  | AssignTimestampsTransformation
  | WindowTransformation
  | RouteTransformation
  | SideOutputTransformation
  | FromFutureTransformation
  | FillFutureTransformation
  | SinkTransformation;
