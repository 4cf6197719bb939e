import type { ExplainLevel } from '../../transformations/stream-environment.ts';
import type { Command } from '../command.ts';
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE } from '../exit-code.ts';
import type { ExplainCommandOptions } from '../print-plan.ts';
import { ABOUT_PROGRAM_OPTIONS, jsonFlag, PROGRAM_OPTIONS, programOperand } from '../program-options.ts';
import { UsageError } from '../usage-error.ts';

const LEVELS: readonly ExplainLevel[] = ['logical', 'optimised', 'physical', 'all'];

/** `sage-kernel explain` */
export const explain: Command<ExplainCommandOptions> = {
  name: 'explain',
  summary: 'prints the plans of a pipeline as text, JSON or a picture, and runs nothing',
  description: [
    'Prints the plans of a pipeline: stages, what was fused, what runs native, exchanges, parallelism and why. The program runs up to its first submit; no job does.',
    ABOUT_PROGRAM_OPTIONS,
  ],
  operands: [programOperand('explain')],
  takesProgramArgs: true,
  options: {
    ...PROGRAM_OPTIONS,
    level: {
      kind: 'value',
      placeholder: 'level',
      description: 'logical, optimised, physical or all (when left away); for the text only',
      choices: LEVELS,
      otherwise: undefined,
      parse: (text) => text as ExplainLevel,
    },
    json: jsonFlag('prints the plan as one line of JSON, in the form of PlanDescription; of a program or plan that failed, { error }'),
    mermaid: { kind: 'flag', description: 'prints the physical plan as a Mermaid flowchart' },
    svg: { kind: 'flag', description: 'prints the physical plan as an SVG picture' },
  },
  exitCodes: [
    [EXIT_OK, 'the plan was printed'],
    [EXIT_FAILED, "the program or the pipeline's plan failed"],
    [EXIT_USAGE, 'the command line is wrong, or the file holds no pipeline'],
  ],
  examples: [
    'sage-kernel explain squares.ts',
    `sage-kernel explain totals.ts --level physical --parallelism 2 --args '{"input":"orders.jsonl","output":"totals.jsonl"}'`,
    'sage-kernel explain squares.ts --mermaid',
    'sage-kernel explain squares.ts --svg > plan.svg',
  ],
  check({ values: { level, json, mermaid, svg } }) {
    const given = Object.entries({ '--level': level !== undefined, '--json': json, '--mermaid': mermaid, '--svg': svg }).filter(([, is]) => is);
    if (given.length < 2) return;
    throw new UsageError(`${given.map(([name]) => name).join(' and ')} exclude each other: --level is for the text, and there is one form at a time. Leave one away.`);
  },
  async run({ values, operands, programArgs }) {
    const { printPlan } = await import('../print-plan.ts');
    await printPlan({ ...values, file: operands[0]!, programArgs });
  },
};
