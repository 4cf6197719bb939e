import type { CompileOptions, PlanConfig } from '../compile-options.ts';
import type { Pipeline } from '../logical-plan.ts';
import { checkBoundedness } from './check-boundedness.ts';
import { checkCheckpoints } from './check-checkpoints.ts';
import { checkDeadLetters } from './check-dead-letters.ts';
import { checkEventTime } from './check-event-time.ts';
import { checkKeys } from './check-keys.ts';
import { checkLoops } from './check-loops.ts';
import { checkMembership } from './check-membership.ts';
import { checkParallelism } from './check-parallelism.ts';
import { checkSinks } from './check-sinks.ts';
import { checkStandardInput } from './check-standard-input.ts';
import { checkUids } from './check-uids.ts';

/**
 * Everything that can be wrong with a whole pipeline, before anything of it runs. What a single call can know was
 * checked by that call.
 *
 * @throws SageError SAGE_PLAN_*, with the user's own line and one fix.
 */
export function checkPipeline(pipeline: Pipeline, config: PlanConfig, options: CompileOptions): void {
  checkMembership(pipeline); // first: the other checks follow inputs
  checkLoops(pipeline); // the next ones follow ways back
  checkSinks(pipeline, options);
  checkStandardInput(pipeline);
  checkUids(pipeline);
  checkParallelism(pipeline, config);
  checkKeys(pipeline);
  checkEventTime(pipeline);
  checkDeadLetters(pipeline);
  checkBoundedness(pipeline);
  checkCheckpoints(pipeline, config);
}
