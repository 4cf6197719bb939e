import type { ExplainLevel, ExplainOptions } from '../transformations/stream-environment.ts';
import { endProcess } from './end-process.ts';
import { explainProgram } from './explain-program.ts';
import { errorJson } from './job-json.ts';
import type { Program, ProgramOptions } from './program-options.ts';
import { takeStandardOutput } from './standard-output.ts';
import { UsageError } from './usage-error.ts';

/** Options of `sage-kernel explain`. */
export interface ExplainCommandOptions extends ProgramOptions {
  readonly level: ExplainLevel | undefined;
  readonly json: boolean;
  readonly mermaid: boolean;
  readonly svg: boolean;
}

/** `sage-kernel explain`: prints the plan in the form that was asked for, and ends the process. */
export async function printPlan(program: Program & ExplainCommandOptions): Promise<void> {
  const print = takeStandardOutput();
  const plan = await explainProgram(program, explainOptions(program)).catch(async (error: unknown) => {
    if (program.json && !(error instanceof UsageError)) await print(errorJson(error));
    throw error;
  });
  await print(typeof plan === 'string' ? plan : JSON.stringify(plan));
  // What the program has opened before its submit is no reason to stay.
  await endProcess();
}

function explainOptions({ level = 'all', json, mermaid, svg }: ExplainCommandOptions): ExplainOptions {
  if (json) return { format: 'json' };
  if (mermaid) return { format: 'mermaid' };
  return svg ? { format: 'svg' } : { format: 'text', level };
}
