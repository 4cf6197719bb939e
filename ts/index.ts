/** SAGE Kernel: typed pipelines on a Rust core, in one process. */
export { SageError, isSageError, type ErrorCode, type ErrorDomain, type RelatedPlace } from './common/errors.ts';
export type { WaitOptions } from './common/abortable-wait.ts';
export type { SourceLocation } from './common/source-location.ts';
export type { SchemaInput, SchemaOutput, SchemaResult, StandardIssue, StandardSchema } from './common/standard-schema.ts';
export type { Clock } from './common/clock.ts';
export type { JobId } from './common/ids.ts';
export { BaseFunction } from './functions/base-function.ts';
export { BaseCoMapFunction } from './functions/base-co-map-function.ts';
export { BaseJoinFunction } from './functions/base-join-function.ts';
export { BroadcastProcessFunction, type BroadcastFunctionContext } from './functions/broadcast-process-function.ts';
export { BatchFunction } from './functions/batch-function.ts';
export { FilterFunction } from './functions/filter-function.ts';
export { FlatMapFunction } from './functions/flat-map-function.ts';
export { KeyByFunction } from './functions/key-by-function.ts';
export { KeyedBroadcastProcessFunction, type KeyedBroadcastFunctionContext } from './functions/keyed-broadcast-process-function.ts';
export { KeyedCoProcessFunction } from './functions/keyed-co-process-function.ts';
export { KeyedProcessFunction, type KeyedFunctionContext } from './functions/keyed-process-function.ts';
export { LookupFunction, type LookupCall, type LookupResult, type LookupResults } from './functions/lookup-function.ts';
export { MapFunction } from './functions/map-function.ts';
export { OutputTag } from './functions/output-tag.ts';
export { ProcessFunction } from './functions/process-function.ts';
export { SinkFunction } from './functions/sink-function.ts';
export { END, SourceFunction, type End } from './functions/source-function.ts';
export type { Seekable } from './functions/seekable.ts';
export type { Transaction, TransactionalSink } from './functions/transactional-sink.ts';
export { timestamped, type Timestamped } from './functions/timestamped.ts';
export type { FunctionContext } from './functions/function-context.ts';
export type { AggregatingState, KeyedState, ListState, MapState, ReducingState, StateOptions, ValueState, ValueStateOptions } from './functions/state/keyed-state.ts';
export type { BroadcastState } from './functions/state/broadcast-state.ts';
export type { TimerKind, Timers } from './functions/state/timers.ts';
export type { Counter, FunctionMetrics, Gauge } from './functions/function-metrics.ts';
export type { Histogram } from './functions/histogram.ts';
export type { LogFields, Logger, LogMethod } from './functions/logger.ts';
export { aggregator, type AggregateResults, type BuiltinAggregator, type UserAggregator } from './functions/aggregator.ts';
export { avg, count, first, last, max, min, sum } from './functions/builtin-aggregators.ts';
export { col, columns, type Columns } from './functions/expressions/col.ts';
export { cond } from './functions/expressions/cond.ts';
export { lit } from './functions/expressions/lit.ts';
export { Expression } from './functions/expressions/expression.ts';
export { collectList, countDistinct, topN } from './functions/collecting-aggregators.ts';
export type { Fillable } from './datastream/fillable.ts';
export type { FutureOptions } from './datastream/future-stream.ts';
export { BroadcastConnectedStreams, BroadcastStream, ConnectedStreams, DataStream, FutureStream, KeyedRoutedStream, KeyedStream, RoutedStream, WindowedStream } from './datastream/streams.ts';
export type { CoMapFunctions, CoMapMethods, CoMapped, CoMapResults, CoProcessMethods, KeySelectors, LeftOf, RightOf } from './datastream/connected-streams.ts';
export type { KeyedLookupOptions, LookupBatchOptions, LookupCacheOptions, LookupOptions, WithLookupBatch, WithoutKey, WithoutLookupBatch } from './datastream/lookup-arguments.ts';
export type { ArgsOption, RowOf } from './datastream/async-stream.ts';
export { KeyedTable, type TableOptions } from './datastream/keyed-table.ts';
export type { AsOfJoinOptions, IntervalJoinOptions, JoinInterval, TableJoinOptions, WindowJoinOptions } from './datastream/join-arguments.ts';
export type { JoinType } from './transformations/join-type.ts';
export type { NoKey, TopOfWindow, WindowContents, WithKey } from './datastream/windowed-stream.ts';
export type { TimeWindow } from './datastream/window-arguments.ts';
export { type WindowAssigner, type WindowOptions, type Windows, countWindow, globalWindow, session, sliding, tumbling } from './functions/windows/windows.ts';
export type { CustomTrigger, MergedWindow, TriggerContext, TriggerDecision, TriggerTimers } from './functions/windows/custom-trigger.ts';
export { type EarlyTrigger, type Trigger, atEnd, early, everyCount, everyPeriod } from './functions/windows/trigger.ts';
export type { WindowBounds } from './functions/windows/window-bounds.ts';
export type {
  BatchOptions,
  DedupOptions,
  EmitOptions,
  FunctionSinkOptions,
  KeyByOptions,
  MapAsyncOptions,
  RetryOptions,
  SampleOptions,
  SinkOptions,
  StreamSinkOptions,
  TimestampOptions,
} from './datastream/stream-options.ts';
export type { AsyncCall } from './datastream/record-types.ts';
export type { CollectedRecords, CollectOptions } from './datastream/collect-stream.ts';
export type { ToReadableOptions } from './datastream/streams/open-readable.ts';
export type { ToReadableStreamOptions } from './datastream/streams/open-readable-stream.ts';
export type { SchemaSourceOptions, SourceOptions, TimestampedSourceOptions } from './datastream/source-argument.ts';
export type { SchemaIssue } from './functions/schema-validator.ts';
export type { CsvColumnType, CsvOptions } from './connectors/csv-options.ts';
export { CsvSink, type CsvSinkOptions } from './connectors/csv-sink.ts';
export type { FilePath, FileSetOptions, FileStreamOptions } from './connectors/file-set.ts';
export { ArrowSink, type ArrowSinkOptions } from './connectors/arrow-sink.ts';
export type { ColumnSchema, ColumnType } from './connectors/column-schema.ts';
export type { SourceTimestampOptions, TimestampsOption } from './connectors/source-timestamps.ts';
export type { TimestampUnit } from './transformations/assign-timestamps-transformation.ts';
export { type ArrowOptions, FileSource, type JsonLinesOptions, type LineOptions, type ParquetOptions, type SchemaOption, type TypedColumnOptions } from './connectors/file-source.ts';
export { StreamSource, type ByteStream, type StreamLineOptions } from './connectors/stream-source.ts';
export { JsonLinesSink, type JsonLinesSinkOptions } from './connectors/json-lines-sink.ts';
export type { JsonOptions } from './connectors/json-options.ts';
export { JsonSink, type JsonSinkOptions } from './connectors/json-sink.ts';
export type { LineOutputOptions } from './connectors/line-output-options.ts';
export type { OutputOptions, PartitionOptions } from './connectors/output-options.ts';
export { ParquetSink, type ParquetSinkOptions } from './connectors/parquet-sink.ts';
export { TextLinesSink, type TextLinesSinkOptions } from './connectors/text-lines-sink.ts';
export { BaseTransformation, type Parallelism } from './transformations/base-transformation.ts';
export type { Sink, Source } from './transformations/connector.ts';
export type { DeadLetter, FailureInfo } from './transformations/dead-letter.ts';
export type { Emit } from './transformations/emit.ts';
export type { ErrorPolicy, FailureOutcome, RetryPolicy } from './transformations/error-policy.ts';
export type { CheckpointSettings, ExponentialRestart, FailureRateRestart, FixedRestart, RestartSettings, RestoreOptions } from './transformations/checkpoint-settings.ts';
export type { EnvironmentConfig } from './transformations/environment-config.ts';
export type { DiskStateSettings, StateSettings } from './transformations/state-settings.ts';
export type {
  CheckpointMetrics,
  CheckpointSummary,
  EdgeCounts,
  FeedbackCounts,
  EdgeMetrics,
  HistogramSummary,
  Job,
  JobMetrics,
  JobState,
  JobResult,
  JobStatus,
  OperatorCounts,
  OperatorMetrics,
  SavepointSummary,
  ScalingDecision,
  StageMetrics,
  StopOptions,
  SubmitOptions,
  TaskMetrics,
  UserMetrics,
} from './transformations/job.ts';
export type { Guarantee, GuaranteeLimit, JobGuarantee } from './transformations/job-guarantee.ts';
export type { Delivery } from './transformations/sink-descriptor.ts';
export type { KeyStrategy } from './transformations/key-by-transformation.ts';
export type { PlanDescription, PlanExchange, PlanOperator, PlanStage, PlanStageOperator } from './transformations/plan-description.ts';
export type { ExplainLevel, ExplainOptions } from './transformations/stream-environment.ts';
export { JobManager, type JobInfo, type ServerInfo } from './jobmanager/job-manager.ts';
export { isWorker } from './runtime/worker/worker-session.ts';
export { LocalEnvironment } from './environment/local-environment.ts';
export { definePipeline, type PipelineDefinition, type PipelineOptions } from './environment/define-pipeline.ts';
