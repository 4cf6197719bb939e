import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { packageRoot } from '../common/package-paths.ts';
import { type ExplainCommand, parseCommandLine, type RunCommand } from './command-line.ts';
import { errorText } from './error-text.ts';
import { EXIT_FAILED, EXIT_USAGE } from './exit-code.ts';
import { explainProgram } from './explain-program.ts';
import { errorJson } from './job-json.ts';
import { JobReporter } from './job-reporter.ts';
import { runProgram } from './run-program.ts';
import { usage } from './usage.ts';
import { UsageError } from './usage-error.ts';

/** Does what was typed; sets the exit code, or ends the process. */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  try {
    const command = parseCommandLine(argv);
    switch (command.name) {
      case 'help':
        console.log(usage(command.of));
        return;
      case 'version':
        console.log(version());
        return;
      case 'run':
        await run(command);
        return;
      case 'explain':
        await explain(command);
        return;
    }
  } catch (error) {
    end(errorText(error), error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED);
  }
}

async function run(command: RunCommand): Promise<void> {
  const json = command.json ? takeStandardOutput() : undefined;
  const reporter = new JobReporter({ json: json && ((line, outputIsTaken) => void (outputIsTaken ? process.stderr.write(`${line}\n`) : json(line))), people: command.quiet ? undefined : process.stderr });
  try {
    await runProgram(command, reporter);
  } catch (error) {
    // The reporter sees the end of a job a turn later than who awaits it.
    await new Promise((resolve) => setImmediate(resolve));
    if (reporter.failedJobs === 0 && !(error instanceof UsageError)) await json?.(errorJson(error));
    throw error;
  }
}

async function explain(command: ExplainCommand): Promise<void> {
  const print = takeStandardOutput();
  const { name, plan } = await explainProgram(command);
  await print(command.json ? JSON.stringify({ name, level: command.level, plan }) : plan);
  // What the program has opened before its submit is no reason to stay.
  process.exit();
}

/** From now on what anybody prints goes to standard error; only the function that this gives writes a line to standard output. */
function takeStandardOutput(): (line: string) => Promise<void> {
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = process.stderr.write.bind(process.stderr) as typeof process.stdout.write;
  return (line) =>
    new Promise((resolve) => {
      write(`${line}\n`, () => resolve());
    });
}

/** Ends the process as Node does when a program throws, whatever else is going on. */
function end(message: string, code: number): void {
  process.stderr.write(`${message}\n`, () => process.exit(code));
}

function version(): string {
  return (JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }).version;
}
