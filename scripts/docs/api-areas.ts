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
    sources: ['environment/', 'jobmanager/', 'runtime/', 'transformations/job.ts', 'transformations/environment-config.ts', 'common/ids.ts', 'common/clock.ts', 'common/abortable-wait.ts'],
  },
  { page: 'streams', title: 'Streams', about: 'The operators: every call on a stream, with its options.', sources: ['datastream/', 'transformations/key-by-transformation.ts', 'transformations/base-transformation.ts'] },
  { page: 'functions', title: 'Functions', about: 'Base classes of user functions, and what a function knows and can do where it runs: context, metrics, logger, side outputs.', sources: ['functions/'] },
  {
    page: 'aggregators',
    title: 'Aggregators',
    about: 'What `aggregate` takes: built-in aggregators, those of your own, and when results are emitted.',
    sources: ['functions/aggregator.ts', 'functions/builtin-aggregators.ts', 'functions/collecting-aggregators.ts', 'transformations/emit.ts'],
  },
  {
    page: 'expressions',
    title: 'Expressions',
    about: 'What the engine computes by itself: fields, constants and operations for `filter`, `select`, `withColumn`, `keyBy` and aggregators.',
    sources: ['functions/expressions/'],
  },
  { page: 'connectors', title: 'Connectors', about: 'Sources and sinks that the core reads and writes, and streams of bytes.', sources: ['connectors/', 'transformations/connector.ts'] },
  { page: 'schemas', title: 'Schemas', about: 'Standard Schema: what checks records where they come in.', sources: ['common/standard-schema.ts', 'functions/schema-validator.ts', 'datastream/source-argument.ts'] },
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
