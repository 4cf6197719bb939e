import { flushOutput } from '../common/flush-output.ts';
import type { ExitCode } from './exit-code.ts';

/** A reader that takes nothing any more is waited for so long. */
export const OUTPUT_DEADLINE_MS = 10_000;

/** Ends the process, whatever keeps it alive, when what was printed has left it. Without a code: with the one that the program has set. */
export async function endProcess(code?: ExitCode): Promise<never> {
  await flushOutput(OUTPUT_DEADLINE_MS);
  process.exit(code);
}
