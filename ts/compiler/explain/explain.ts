import type { CompiledPipeline } from '../compile.ts';
import type { ExplainLevel } from '../../transformations/stream-environment.ts';
import { explainExecution } from './explain-execution.ts';
import { explainLogical, explainOptimised } from './explain-logical.ts';
import { explainPhysical } from './explain-physical.ts';

/** The plans of a pipeline as text, all or one of them. Ends without a line end. */
export function explain(compiled: CompiledPipeline, level: ExplainLevel | 'execution' = 'all'): string {
  switch (level) {
    case 'logical':
      return explainLogical(compiled.logical);
    case 'optimised':
      return explainOptimised(compiled.optimised);
    case 'physical':
      return explainPhysical(compiled.physical);
    case 'execution':
      return explainExecution(compiled.graph);
    case 'all':
      return [
        explainLogical(compiled.logical),
        explainOptimised(compiled.optimised),
        explainPhysical(compiled.physical),
        explainExecution(compiled.graph),
      ].join('\n\n');
  }
}
