import { errorJson } from './job-json.ts';
import { JobReporter } from './job-reporter.ts';
import type { Program, ProgramOptions } from './program-options.ts';
import { showProgress } from './progress/show-progress.ts';
import { runProgram } from './run-program.ts';
import { takeStandardOutput } from './standard-output.ts';
import { UsageError } from './usage-error.ts';

/** Options of `sage-kernel run`. */
export interface RunOptions extends ProgramOptions {
  readonly json: boolean;
  /** Neither progress nor a summary. */
  readonly quiet: boolean;
}

/** `sage-kernel run`: the program, with what people and other programs see of it. @throws what the program or the job throws. */
export async function runInTerminal(program: Program & RunOptions): Promise<void> {
  const json = program.json ? takeStandardOutput() : undefined;
  const reporter = new JobReporter({
    json: json && ((line, outputIsTaken) => void (outputIsTaken ? process.stderr.write(`${line}\n`) : json(line))),
    progress: program.quiet ? undefined : showProgress(process.stderr, [process.stdout, process.stderr], !program.json),
  });
  try {
    await runProgram(program, reporter);
  } catch (error) {
    // The reporter sees the end of a job a turn later than who awaits it.
    await new Promise((resolve) => setImmediate(resolve));
    if (reporter.failedJobs === 0 && !(error instanceof UsageError)) await json?.(errorJson(error));
    throw error;
  }
}
