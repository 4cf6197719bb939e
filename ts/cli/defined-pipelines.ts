import type { PipelineDefinition } from '../environment/define-pipeline.ts';
import { UsageError } from './usage-error.ts';

/** The pipelines among the exports of a module, by the name of the export. */
export function definedPipelines(exports: Readonly<Record<string, unknown>>): ReadonlyMap<string, PipelineDefinition<unknown>> {
  return new Map(Object.entries(exports).filter((entry): entry is [string, PipelineDefinition<unknown>] => isDefinition(entry[1])));
}

/**
 * The pipeline that is meant: that of the name, else the only one, else the default export.
 *
 * @throws UsageError that lists the names.
 */
export function choosePipeline(
  pipelines: ReadonlyMap<string, PipelineDefinition<unknown>>,
  name: string | undefined,
  path: string,
): PipelineDefinition<unknown> {
  const names = [...pipelines.keys()];
  const chosen = name ?? (names.length === 1 ? names[0]! : 'default');
  const pipeline = pipelines.get(chosen);
  if (pipeline !== undefined) return pipeline;
  throw new UsageError(
    name === undefined
      ? `${path} defines several pipelines: say which with --pipeline ${names.join(' or --pipeline ')}.`
      : `${path} exports no pipeline '${name}'. It exports ${names.join(', ')}.`,
  );
}

/** By its shape: the program may have another copy of this package. */
function isDefinition(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { run, submit, explain } = value as Partial<Record<'run' | 'submit' | 'explain', unknown>>;
  return [run, submit, explain].every((method) => typeof method === 'function');
}
