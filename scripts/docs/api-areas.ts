/** A page of the API reference. */
export interface ApiArea {
  /** Its file in docs/api, without `.md`. */
  readonly page: string;
  readonly title: string;
  /** One sentence. */
  readonly about: string;
  /** Files or folders of `ts/` whose public names are on it. */
  readonly sources: readonly string[];
}

/** The pages in the order of their index. A name is on the page with the longest path that its file begins with. */
export const API_AREAS: readonly ApiArea[] = [
  {
    page: 'environment-and-jobs',
    title: 'Environments and jobs',
    about: 'Where a pipeline is built and submitted, and what can be known of a job and done with it.',
    sources: ['environment/', 'jobmanager/', 'runtime/', 'transformations/job.ts', 'transformations/job-guarantee.ts', 'transformations/environment-config.ts', 'transformations/state-settings.ts', 'transformations/checkpoint-settings.ts', 'common/ids.ts', 'common/clock.ts', 'common/abortable-wait.ts'],
  },
  { page: 'streams', title: 'Streams', about: 'The operators: every call on a stream, with its options.', sources: ['datastream/', 'transformations/key-by-transformation.ts', 'transformations/base-transformation.ts', 'transformations/sink-descriptor.ts'] },
  { page: 'functions', title: 'Functions', about: 'Base classes of user functions, and what a function knows and can do where it runs: context, metrics, logger, side outputs.', sources: ['functions/'] },
  {
    page: 'aggregators',
    title: 'Aggregators',
    about: 'What `aggregate` takes: built-in aggregators, those of your own, and when results are emitted.',
    sources: ['functions/aggregator.ts', 'functions/builtin-aggregators.ts', 'functions/collecting-aggregators.ts', 'transformations/emit.ts'],
  },
  { page: 'state', title: 'State and timers', about: 'What a function keeps for each key of a stream, and how it is called again later.', sources: ['functions/state/', 'functions/keyed-process-function.ts', 'functions/keyed-co-process-function.ts', 'functions/keyed-broadcast-process-function.ts', 'functions/broadcast-process-function.ts'] },
  { page: 'windows', title: 'Windows', about: 'What `window` takes, and what it gives: windows of time and of records, triggers, results.', sources: ['functions/windows/', 'datastream/windowed-stream.ts', 'datastream/window-arguments.ts', 'transformations/assign-timestamps-transformation.ts'] },
  {
    page: 'joins',
    title: 'Several streams and joins',
    about: 'What `connect` gives, handlers for several streams, and joins.',
    sources: ['functions/base-co-map-function.ts', 'functions/base-join-function.ts', 'datastream/connected-streams.ts', 'datastream/broadcast-stream.ts', 'datastream/join-arguments.ts', 'datastream/keyed-table.ts', 'datastream/lookup-arguments.ts', 'datastream/async-stream.ts', 'functions/lookup-function.ts', 'transformations/join-type.ts'],
  },
  {
    page: 'expressions',
    title: 'Expressions',
    about: 'What the engine computes by itself: fields, constants and operations for `filter`, `select`, `withColumn`, `keyBy` and aggregators.',
    sources: ['functions/expressions/'],
  },
  { page: 'connectors', title: 'Connectors', about: 'Sources and sinks that the core reads and writes, and streams of bytes.', sources: ['connectors/', 'transformations/connector.ts'] },
  { page: 'schemas', title: 'Schemas', about: 'Standard Schema: what checks records where they come in.', sources: ['common/standard-schema.ts', 'functions/schema-validator.ts', 'datastream/source-argument.ts'] },
  {
    page: 'testing',
    title: 'Testing',
    about: 'What `sage-kernel/testing` exports: an environment with a clock of its own and a schedule that a seed decides, sources and sinks of a test, and a harness for one function.',
    sources: ['testing/'],
  },
  { page: 'plans', title: 'Plans', about: 'What `explain` gives.', sources: ['transformations/plan-description.ts', 'transformations/stream-environment.ts'] },
  {
    page: 'errors',
    title: 'Errors',
    about: 'The one class of errors, what happens with records that fail, and dead letters.',
    sources: ['common/errors.ts', 'common/error-codes.generated.ts', 'common/plan-error-text.ts', 'common/source-location.ts', 'transformations/error-policy.ts', 'transformations/dead-letter.ts'],
  },
];

/** The page of names that a file declares. @throws Error when the table does not know. */
export function areaOf(file: string): ApiArea {
  let best: ApiArea | undefined;
  let length = 0;
  for (const area of API_AREAS) {
    for (const source of area.sources) {
      if (!file.startsWith(`ts/${source}`) || source.length <= length) continue;
      best = area;
      length = source.length;
    }
  }
  if (best === undefined) throw new Error(`${file} has public names, but no page: add it to API_AREAS in scripts/docs/api-areas.ts`);
  return best;
}
