import { isCloneable } from '../common/is-cloneable.ts';
import type { PipelineOrigin } from '../runtime/worker/pipeline-origin.ts';
import type { EnvironmentConfig } from '../transformations/environment-config.ts';

/**
 * How workers that are started while the job runs build its pipeline: with a copy of its arguments as they are now, whatever
 * the caller does with his own meanwhile. What cannot be copied can never be given to one, and `'auto'` has to know that
 * before the job has begun.
 */
export function originForLater(origin: PipelineOrigin, { logger: _, ...config }: EnvironmentConfig): PipelineOrigin {
  if (origin.kind !== 'module') return origin;
  const uncloneable = Object.entries(config).find(([, setting]) => !isCloneable(setting))?.[0];
  if (uncloneable !== undefined) return { kind: 'none', reason: `the setting '${uncloneable}' cannot be sent to a worker thread` };
  try {
    return { ...origin, args: structuredClone(origin.args) };
  } catch (error) {
    return { kind: 'none', reason: `the pipeline's arguments cannot be sent to a worker thread: ${(error as Error).message}` };
  }
}
