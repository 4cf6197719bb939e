import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

import { planError } from '../common/errors.ts';
import { captureSourceLocation } from '../common/source-location.ts';
import { describeValue } from '../functions/check-user-function.ts';
import { setPipelineOrigin } from '../runtime/worker/pipeline-origin.ts';
import { registerPipeline } from '../runtime/worker/pipeline-registry.ts';
import type { RestoreOptions } from '../transformations/checkpoint-settings.ts';
import type { EnvironmentConfig } from '../transformations/environment-config.ts';
import type { Job, JobResult, SubmitOptions } from '../transformations/job.ts';
import type { PlanDescription } from '../transformations/plan-description.ts';
import type { ExplainLevel } from '../transformations/stream-environment.ts';
import { LocalEnvironment } from './local-environment.ts';

/** Settings of one run of a defined pipeline: those of the environment, its name, and a signal that cancels it. */
export interface PipelineOptions extends EnvironmentConfig, RestoreOptions {
  /** Name of the job; that of the module when left away. */
  readonly name?: string;
  /** Cancels the job when it is aborted. */
  readonly signal?: AbortSignal;
}

/** A pipeline that worker threads can build again from its module. */
export interface PipelineDefinition<Args> {
  /** Runs it to its end. @throws SageError the job's error. */
  run(args: Args, options?: PipelineOptions): Promise<JobResult>;
  /** Starts it. */
  submit(args: Args, options?: PipelineOptions): Promise<Job>;
  /** The plans, as those of an environment; starts nothing. `format` and `level` are not part of the config. */
  explain(args: Args, options: PipelineOptions & { readonly format: 'json' }): Promise<PlanDescription>;
  explain(args: Args, options?: PipelineOptions & { readonly format?: 'text' | 'mermaid' | 'svg'; readonly level?: ExplainLevel }): Promise<string>;
}

/**
 * Defines a pipeline as a function of its arguments, in a module of its own: worker threads import that module and call the
 * builder with the same arguments (which must be structured-cloneable). Nothing else of the module runs for them but its top
 * level.
 *
 * ```ts
 * export const squares = definePipeline(import.meta.url, (env: LocalEnvironment, args: { upTo: number; out: string }) => {
 *   env.fromCollection(Array.from({ length: args.upTo }, (_, n) => n))
 *     .map((n) => ({ n, square: n * n }))
 *     .sink(new JsonLinesSink(args.out));
 * });
 * await squares.run({ upTo: 10, out: 'squares.jsonl' }, { parallelism: 2 });
 * ```
 *
 * @param url `import.meta.url` of the module. Definitions of one module are told apart by their order.
 * @throws SageError SAGE_PLAN_ARGUMENT for anything else than a URL and a function.
 */
export function definePipeline<Args>(
  url: string,
  build: (environment: LocalEnvironment, args: Args) => unknown,
): PipelineDefinition<Args> {
  checkDefinition(url, build);
  const index = registerPipeline(url, async (name, config, args) => {
    const environment = new LocalEnvironment(name, config);
    await build(environment, args as Args);
    return environment;
  });
  const prepare = async (args: Args, options: PipelineOptions): Promise<{ environment: LocalEnvironment; submit: SubmitOptions }> => {
    const { name = moduleName(url), signal, from, allowDropped, ...config } = options;
    const environment = new LocalEnvironment(name, config);
    setPipelineOrigin(environment, { kind: 'module', url, index, args });
    await build(environment, args);
    return { environment, submit: { ...(signal === undefined ? {} : { signal }), ...(from === undefined ? {} : { from }), ...(allowDropped === undefined ? {} : { allowDropped }) } };
  };
  return {
    async run(args, options = {}) {
      const { environment, submit } = await prepare(args, options);
      return environment.submit({ ...submit, autostop: true });
    },
    async submit(args, options = {}) {
      const { environment, submit } = await prepare(args, options);
      return environment.submit({ ...submit, autostop: false });
    },
    async explain(args: Args, options: PipelineOptions & { readonly format?: string; readonly level?: ExplainLevel } = {}): Promise<never> {
      const { level, format, ...rest } = options;
      const { environment } = await prepare(args, rest);
      const form = { ...(format === undefined ? {} : { format }), ...(level === undefined ? {} : { level }) };
      return environment.explain(form as { readonly format: 'json' }) as never;
    },
  };
}

function checkDefinition(url: unknown, build: unknown): void {
  const isUrl = typeof url === 'string' && URL.canParse(url);
  if (isUrl && typeof build === 'function') return;
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: `definePipeline was given ${isUrl ? `${describeValue(build)} as the builder` : `${describeValue(url)} as the module`}`,
    expected: 'the URL of the module and a function that builds the pipeline',
    fix: 'Write definePipeline(import.meta.url, (env, args) => { ... }).',
    found: describeValue(isUrl ? build : url),
    declaredAt: captureSourceLocation(definePipeline),
  });
}

/** The file's name without its ending. */
function moduleName(url: string): string {
  return url.startsWith('file:') ? basename(fileURLToPath(url)).replace(/\.[cm]?[jt]s$/, '') : 'pipeline';
}
