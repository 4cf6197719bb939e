import { observeSubmits } from '../environment/submit-observer.ts';
import type { ExplainCommand } from './command-line.ts';
import { choosePipeline, definedPipelines } from './defined-pipelines.ts';
import { loadProgram, resolveProgram } from './load-program.ts';
import { eventLoopIsEmpty, noPipeline, pipelineOptions, refusePipelineOptions } from './run-program.ts';

/** A pipeline's plans as text. */
export interface Explained {
  readonly name: string;
  readonly plan: string;
}

/**
 * `sage-kernel explain`: loads the file; the first pipeline that it submits is explained in place of being run (and what
 * stands behind that submit never happens), else the one that it exports.
 *
 * @throws UsageError, or the error of the program or of the pipeline's plan.
 */
export async function explainProgram(command: ExplainCommand): Promise<Explained> {
  const path = resolveProgram(command.file);
  const submitted = Promise.withResolvers<Explained>();
  let hasSubmitted = false;
  observeSubmits({
    submitting({ environment, explain }) {
      refusePipelineOptions(command, path);
      const plan = explain(command.level);
      hasSubmitted = true;
      submitted.resolve({ name: environment.name, plan });
      return new Promise<never>(() => undefined);
    },
  });
  return Promise.race([submitted.promise, exported()]);

  async function exported(): Promise<Explained> {
    const pipelines = definedPipelines(await loadProgram(path, command.programArgs));
    if (pipelines.size === 0 || hasSubmitted) {
      await eventLoopIsEmpty();
      throw noPipeline(path); // unless it has submitted, which has won the race
    }
    const pipeline = choosePipeline(pipelines, command.pipeline, path);
    const plan = await pipeline.explain(command.args?.value ?? {}, { ...pipelineOptions(command), level: command.level });
    return { name: command.pipeline ?? [...pipelines].find(([, value]) => value === pipeline)![0], plan };
  }
}
