import { observeSubmits } from '../environment/submit-observer.ts';
import type { PipelineOptions } from '../environment/define-pipeline.ts';
import { choosePipeline, definedPipelines } from './defined-pipelines.ts';
import type { JobReporter } from './job-reporter.ts';
import { asksForMain, loadProgram, makesEnvironment, resolveProgram } from './load-program.ts';
import type { Program, ProgramOptions } from './program-options.ts';
import { UsageError } from './usage-error.ts';

/**
 * `sage-kernel run`: loads the file; if it submits, it is a program and does everything itself, else the pipeline that it
 * exports is run to its end. Resolves when that has ended; jobs of a program may go on.
 *
 * @throws UsageError, or the error of the program or of the job.
 */
export async function runProgram(program: Program, reporter: JobReporter): Promise<void> {
  const path = resolveProgram(program.file);
  let submits = 0;
  let runsDefinition = false;
  observeSubmits({
    submitting() {
      submits++;
      if (!runsDefinition) refusePipelineOptions(program, path);
      return undefined;
    },
    started: (job, environment) => reporter.watch(job, environment),
  });
  const pipelines = definedPipelines(await loadProgram(path, program.programArgs));
  if (submits > 0) return;
  if (pipelines.size === 0) {
    // It may still be on its way to its submit.
    await eventLoopIsEmpty();
    if (submits === 0) throw noPipeline(path);
    return;
  }
  runsDefinition = true;
  await choosePipeline(pipelines, program.pipeline, path).run(program.args?.value ?? {}, pipelineOptions(program));
}

/** Settings that the command line gives to a pipeline that is defined by `definePipeline`. */
export function pipelineOptions({ parallelism }: ProgramOptions): PipelineOptions {
  return parallelism === undefined ? {} : { parallelism };
}

/** @throws UsageError when the program submits by itself, so that these options could have no effect. */
export function refusePipelineOptions({ pipeline, args, parallelism }: ProgramOptions, path: string): void {
  const given = Object.entries({ pipeline, args, parallelism }).find(([, value]) => value !== undefined)?.[0];
  if (given === undefined) return;
  throw new UsageError(
    `--${given} is for pipelines that a module exports with definePipeline, and ${path} submits by itself.\n` +
      'Its own arguments come behind --, and it says its parallelism itself: new LocalEnvironment(name, { parallelism: 4 }).',
  );
}

/** What to say of a file that did nothing. */
export function noPipeline(path: string): UsageError {
  const why = asksForMain(path)
    ? '\nIt asks whether it is the main module, which it is for node only: run it with node.'
    : makesEnvironment(path)
      ? '\nIt makes an environment, and does not submit it: end with await env.submit({ autostop: true }).'
      : '';
  return new UsageError(
    `There is no pipeline in ${path}: it neither submits one nor exports one that is made with definePipeline.${why}`,
  );
}

/** Resolves when nothing keeps the process alive any more. */
export function eventLoopIsEmpty(): Promise<void> {
  return new Promise((resolve) => {
    process.once('beforeExit', () => resolve());
  });
}
