import type { CompileOptions } from '../compile-options.ts';
import type { IsolatePlan, Stage } from '../physical-plan.ts';
import { NOT_IMPORTABLE, type Placements } from './place-operators.ts';

/** Two instances are wanted in two threads even where there is one processor: one may wait while the other works. */
const LEAST_WORKERS = 2;

/** How many worker threads there are: one for each instance, but not more than processors. */
export function planIsolates(stages: readonly Stage[], placements: Placements, options: CompileOptions): IsolatePlan {
  const main = stages.some((stage) => stage.placement === 'main');
  const inWorkers = stages.filter((stage) => stage.placement === 'workers');
  if (inWorkers.length === 0) return { workers: 0, main, reason: reasonForNone(main, placements, options) };
  const instances = Math.max(...inWorkers.map((stage) => stage.parallelism));
  const workers = Math.min(instances, Math.max(LEAST_WORKERS, options.cores));
  if (instances === 1) return { workers, main, reason: 'the environment is isolated' };
  const why = workers < instances ? `${instances} instances share them; processors: ${options.cores}` : `one for each of ${instances} instances`;
  return { workers, main, reason: why };
}

function reasonForNone(main: boolean, placements: Placements, options: CompileOptions): string {
  if (!main) return 'there is no user code to run';
  if (placements.keptInMain) return options.notImportableReason ?? NOT_IMPORTABLE;
  return 'nothing needs more than the main isolate';
}
