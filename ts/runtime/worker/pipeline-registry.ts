import type { EnvironmentConfig } from '../../transformations/environment-config.ts';
import type { StreamEnvironment } from '../../transformations/stream-environment.ts';

/** Builds a pipeline in a new environment. */
export type PipelineBuilder = (name: string, config: EnvironmentConfig, args: unknown) => Promise<StreamEnvironment>;

const REGISTRY = Symbol.for('sage-kernel.pipelines');

function registry(): Map<string, PipelineBuilder[]> {
  const holder = globalThis as Record<symbol, unknown>;
  holder[REGISTRY] ??= new Map<string, PipelineBuilder[]>();
  return holder[REGISTRY] as Map<string, PipelineBuilder[]>;
}

/** Notes a builder of a module; its index there is what a worker finds it by. */
export function registerPipeline(url: string, builder: PipelineBuilder): number {
  const builders = registry().get(url) ?? [];
  registry().set(url, builders);
  return builders.push(builder) - 1;
}

/** The builder with an index in a module that was imported. */
export function registeredPipeline(url: string, index: number): PipelineBuilder | undefined {
  return registry().get(url)?.[index];
}
