import { endProcess } from './end-process.ts';
import { errorText } from './error-text.ts';
import { EXIT_FAILED, EXIT_USAGE } from './exit-code.ts';
import { UsageError } from './usage-error.ts';

/** Ends the process as Node does when a program throws, whatever else is going on: the error for people, and its exit code. */
export async function endWithError(error: unknown): Promise<never> {
  process.stderr.write(`${errorText(error, process.stderr.isTTY && process.stderr.hasColors())}\n`);
  return endProcess(error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED);
}
