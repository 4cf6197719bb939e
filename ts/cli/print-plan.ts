import type { ExplainLevel, ExplainOptions } from '../transformations/stream-environment.ts';
import { explainProgram } from './explain-program.ts';
import type { Program, ProgramOptions } from './program-options.ts';
import { takeStandardOutput } from './standard-output.ts';

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
  const plan = await explainProgram(program, explainOptions(program));
  await print(typeof plan === 'string' ? plan : JSON.stringify(plan));
  // What the program has opened before its submit is no reason to stay.
  process.exit();
}

function explainOptions({ level = 'all', json, mermaid, svg }: ExplainCommandOptions): ExplainOptions {
  if (json) return { format: 'json' };
  if (mermaid) return { format: 'mermaid' };
  return svg ? { format: 'svg' } : { format: 'text', level };
}
