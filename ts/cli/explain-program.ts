import { observeSubmits } from '../environment/submit-observer.ts';
import type { PlanDescription } from '../transformations/plan-description.ts';
import type { ExplainOptions } from '../transformations/stream-environment.ts';
import { choosePipeline, definedPipelines } from './defined-pipelines.ts';
import { loadProgram, resolveProgram } from './load-program.ts';
import type { Program } from './program-options.ts';
import { eventLoopIsEmpty, noPipeline, pipelineOptions, refusePipelineOptions } from './run-program.ts';

/**
 * `sage-kernel explain`: loads the file; the first pipeline that it submits is explained in place of being run (and what
 * stands behind that submit never happens), else the one that it exports. Gives a text, or data when that is asked for.
 *
 * @throws UsageError, or the error of the program or of the pipeline's plan.
 */
export async function explainProgram(program: Program, options: ExplainOptions): Promise<string | PlanDescription> {
  const path = resolveProgram(program.file);
  const submitted = Promise.withResolvers<string | PlanDescription>();
  let hasSubmitted = false;
  observeSubmits({
    submitting({ explain }) {
      refusePipelineOptions(program, path);
      const plan = explain(options);
      hasSubmitted = true;
      submitted.resolve(plan);
      return new Promise<never>(() => undefined);
    },
  });
  return Promise.race([submitted.promise, exported()]);

  async function exported(): Promise<string | PlanDescription> {
    const pipelines = definedPipelines(await loadProgram(path, program.programArgs));
    if (pipelines.size === 0 || hasSubmitted) {
      await eventLoopIsEmpty();
      throw noPipeline(path); // unless it has submitted, which has won the race
    }
    const pipeline = choosePipeline(pipelines, program.pipeline, path);
    const given = { ...pipelineOptions(program), ...options } as Parameters<typeof pipeline.explain>[1];
    return pipeline.explain(program.args?.value ?? {}, given);
  }
}
