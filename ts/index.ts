/** SAGE Kernel: typed pipelines on a Rust core, in one process. */
export { SageError, isSageError, type ErrorCode, type ErrorDomain, type RelatedPlace } from './common/errors.ts';
export type { SourceLocation } from './common/source-location.ts';
export type { Clock } from './common/clock.ts';
export type { JobId } from './common/ids.ts';
export { BaseFunction } from './functions/base-function.ts';
export { BatchFunction } from './functions/batch-function.ts';
export { FilterFunction } from './functions/filter-function.ts';
export { FlatMapFunction } from './functions/flat-map-function.ts';
export { KeyByFunction } from './functions/key-by-function.ts';
export { MapFunction } from './functions/map-function.ts';
export { OutputTag } from './functions/output-tag.ts';
export { ProcessFunction } from './functions/process-function.ts';
export { SinkFunction } from './functions/sink-function.ts';
export { END, SourceFunction, type End } from './functions/source-function.ts';
export type { FunctionContext } from './functions/function-context.ts';
export type { Counter, FunctionMetrics, Gauge } from './functions/function-metrics.ts';
export type { Histogram } from './functions/histogram.ts';
export type { LogFields, Logger, LogMethod } from './functions/logger.ts';
export { aggregator, type AggregateResults, type BuiltinAggregator, type UserAggregator } from './functions/aggregator.ts';
export { avg, count, first, last, max, min, sum } from './functions/builtin-aggregators.ts';
export { collectList, countDistinct, topN } from './functions/collecting-aggregators.ts';
export { DataStream, KeyedStream, RoutedStream } from './datastream/streams.ts';
export type {
  BatchOptions,
  DedupOptions,
  EmitOptions,
  KeyByOptions,
  MapAsyncOptions,
  RetryOptions,
  SampleOptions,
  SinkOptions,
} from './datastream/stream-options.ts';
export type { AsyncCall } from './datastream/record-types.ts';
export type { SourceOptions } from './datastream/source-argument.ts';
export { FileSource, type JsonLinesOptions, type LineOptions, type ParquetOptions } from './connectors/file-source.ts';
export { JsonLinesSink, type JsonLinesSinkOptions } from './connectors/json-lines-sink.ts';
export { ParquetSink, type ParquetSinkOptions } from './connectors/parquet-sink.ts';
export { TextLinesSink, type TextLinesSinkOptions } from './connectors/text-lines-sink.ts';
export { BaseTransformation, type Parallelism } from './transformations/base-transformation.ts';
export type { Sink, Source } from './transformations/connector.ts';
export type { DeadLetter, FailureInfo } from './transformations/dead-letter.ts';
export type { Emit } from './transformations/emit.ts';
export type { ErrorPolicy, FailureOutcome, RetryPolicy } from './transformations/error-policy.ts';
export type { EnvironmentConfig } from './transformations/environment-config.ts';
export type {
  EdgeCounts,
  HistogramSummary,
  Job,
  JobMetrics,
  JobResult,
  JobStatus,
  OperatorCounts,
  ScalingDecision,
  StopOptions,
  SubmitOptions,
  TaskMetrics,
  UserMetrics,
} from './transformations/job.ts';
export type { KeyStrategy } from './transformations/key-by-transformation.ts';
export type { ExplainLevel } from './transformations/stream-environment.ts';
export { JobManager, type JobInfo, type ServerInfo } from './jobmanager/job-manager.ts';
export { isWorker } from './runtime/worker/worker-session.ts';
export { LocalEnvironment } from './environment/local-environment.ts';
export { definePipeline, type PipelineDefinition, type PipelineOptions } from './environment/define-pipeline.ts';
