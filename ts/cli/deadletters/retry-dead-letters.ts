import { existsSync, readdirSync, statSync } from 'node:fs';
import { resolve } from 'node:path';

import { counted } from '../../common/counted.ts';
import { type Feed, feedIn } from '../../environment/feed-in.ts';
import type { LocalEnvironment } from '../../environment/local-environment.ts';
import { observeSubmits } from '../../environment/submit-observer.ts';
import type { BaseTransformation } from '../../transformations/base-transformation.ts';
import type { DeadLetter } from '../../transformations/dead-letter.ts';
import type { JobResult } from '../../transformations/job.ts';
import { isStandardOutput } from '../../transformations/sink-descriptor.ts';
import { SinkTransformation } from '../../transformations/sink-transformation.ts';
import type { StreamEnvironment } from '../../transformations/stream-environment.ts';
import { choosePipeline, definedPipelines } from '../defined-pipelines.ts';
import { endProcess } from '../end-process.ts';
import { errorJson } from '../job-json.ts';
import { JobReporter } from '../job-reporter.ts';
import { loadProgram, resolveProgram } from '../load-program.ts';
import type { Program } from '../program-options.ts';
import { showProgress } from '../progress/show-progress.ts';
import { eventLoopIsEmpty, noPipeline, pipelineOptions, refusePipelineOptions } from '../run-program.ts';
import { takeStandardOutput } from '../standard-output.ts';
import { UsageError } from '../usage-error.ts';
import { type LetterSummary, summarise } from './letter-summary.ts';
import { readDeadLetters } from './read-dead-letters.ts';

/** Options of `sage-kernel deadletters retry`. */
export interface RetryOptions extends Program {
  readonly letters: string;
  /** Only those of this operator. */
  readonly operator: string | undefined;
  /** Files that are there already may be written anew. */
  readonly replace: boolean;
  readonly json: boolean;
}

/**
 * `sage-kernel deadletters retry`: the program runs up to its first submit; in place of its pipeline, what is behind the operators
 * that have failed is run with the records of the letters. Ends the process.
 *
 * @throws UsageError, or the error of the program, of the plan or of the job.
 */
export async function retryDeadLetters(options: RetryOptions): Promise<void> {
  const { letters, operator, json } = options;
  const print = json ? takeStandardOutput() : undefined;
  const summary = await summarise(readDeadLetters(letters), operator);
  if (summary.letters === 0) throw new UsageError(`There is no dead letter${operator === undefined ? '' : ` of '${operator}'`} in ${letters}.`);
  const reporter = new JobReporter({ json: print && ((line) => void print(line)), progress: json ? undefined : showProgress(process.stderr, [process.stdout, process.stderr], true) });
  let result: JobResult;
  try {
    result = await runFed(options, summary, reporter);
  } catch (error) {
    await new Promise((resolve) => setImmediate(resolve));
    if (reporter.failedJobs === 0 && !(error instanceof UsageError)) await print?.(errorJson(error));
    throw error;
  }
  await new Promise((resolve) => setImmediate(resolve));
  if (!json) console.error(`${counted(summary.letters, 'dead letter')} fed in again, ${result.deadLetters} of them failed again`);
  await endProcess();
}

/** Runs the program with an observer that runs the fed part instead of what it submits. */
async function runFed(options: RetryOptions, summary: LetterSummary, reporter: JobReporter): Promise<JobResult> {
  const path = resolveProgram(options.file);
  const ran = Promise.withResolvers<JobResult>();
  let part: LocalEnvironment | undefined;
  let runsDefinition = false;
  observeSubmits({
    submitting({ environment }) {
      // The submit of the part itself.
      if (environment === part) return undefined;
      if (!runsDefinition) refusePipelineOptions(options, path);
      if (part === undefined) {
        part = fedPart(environment, options, summary);
        ran.resolve(part.submit({ autostop: true }));
      }
      return new Promise<never>(() => undefined);
    },
    started: (job, environment) => reporter.watch(job, environment),
  });
  // The rejection of a plan error goes to whoever has called submit, and from there here.
  return Promise.race([ran.promise, load()]);

  async function load(): Promise<never> {
    const pipelines = definedPipelines(await loadProgram(path, options.programArgs));
    if (part === undefined && pipelines.size > 0) {
      runsDefinition = true;
      return (await choosePipeline(pipelines, options.pipeline, path).run(options.args?.value ?? {}, pipelineOptions(options))) as never;
    }
    await eventLoopIsEmpty();
    if (part === undefined) throw noPipeline(path);
    return new Promise<never>(() => undefined);
  }
}

function fedPart(environment: StreamEnvironment, { letters, replace }: RetryOptions, summary: LetterSummary): LocalEnvironment {
  const feeds = summary.operators.map((operator): Feed => ({ operator, letters: () => lettersOf(letters, operator), spanMs: summary.spanMs(operator) }));
  const part = feedIn(environment, feeds);
  const replaced = replace ? [] : part.pipeline.flatMap((operator) => fileThatIsThere(operator)).filter((path) => path !== resolve(letters));
  if (replaced.length > 0) {
    throw new UsageError(
      `${replaced.join(' and ')} ${replaced.length === 1 ? 'is' : 'are'} there already, and would hold nothing but what the letters give.\n` +
        'Have the program write to other paths (--args, or its own arguments behind --), or say --replace.',
    );
  }
  return part;
}

async function* lettersOf(path: string, operator: string): AsyncGenerator<DeadLetter<unknown>, void, undefined> {
  for await (const letter of readDeadLetters(path)) if (letter.operator === operator) yield letter;
}

/** What a sink would replace: a file, or a directory with something in it. */
function fileThatIsThere(operator: BaseTransformation): readonly string[] {
  if (!(operator instanceof SinkTransformation) || operator.sink.form !== 'native') return [];
  const { path: written } = operator.sink.spec;
  if (isStandardOutput(written)) return [];
  const path = resolve(written.replaceAll('{part}', '0'));
  if (!existsSync(path)) return [];
  return statSync(path).isDirectory() && readdirSync(path).length === 0 ? [] : [path];
}
