import type { CompileOptions } from '../compile-options.ts';
import type { IsolatePlan, Stage } from '../physical-plan.ts';
import { NOT_IMPORTABLE, type Placements } from './place-operators.ts';

/** Two instances are wanted in two threads even where there is one processor: one may wait while the other works. */
const LEAST_WORKERS = 2;

/** How many worker threads there are: one for each instance, but not more than processors. */
export function planIsolates(stages: readonly Stage[], placements: Placements, options: CompileOptions): IsolatePlan {
  const elastic = stages.filter((stage) => stage.placement === 'elastic');
  const main = elastic.length > 0 || stages.some((stage) => stage.placement === 'main');
  const inWorkers = stages.filter((stage) => stage.placement === 'workers');
  if (elastic.length > 0) {
    const lateWorkers = Math.max(...elastic.map((stage) => stage.parallelism)) - 1;
    return { workers: 0, lateWorkers, main, reason: `at first; later up to ${lateWorkers}, when ${describeStages(elastic)} the bottleneck` };
  }
  if (inWorkers.length === 0) return { workers: 0, lateWorkers: 0, main, reason: reasonForNone(main, placements, options) };
  const instances = Math.max(...inWorkers.map((stage) => stage.parallelism));
  const workers = Math.min(instances, Math.max(LEAST_WORKERS, options.cores));
  if (instances === 1) return { workers, lateWorkers: 0, main, reason: 'the environment is isolated' };
  const why = workers < instances ? `${instances} instances share them; processors: ${options.cores}` : `one for each of ${instances} instances`;
  return { workers, lateWorkers: 0, main, reason: why };
}

function describeStages(stages: readonly Stage[]): string {
  const [first] = stages as [Stage];
  return stages.length === 1 ? `stage ${first.id} stays` : `one of stages ${stages.map(({ id }) => id).join(', ')} stays`;
}

function reasonForNone(main: boolean, placements: Placements, options: CompileOptions): string {
  if (!main) return 'there is no user code to run';
  if (placements.keptInMain) return options.notImportableReason ?? NOT_IMPORTABLE;
  return 'nothing needs more than the main isolate';
}
