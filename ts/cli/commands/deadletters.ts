import type { Command } from '../command.ts';
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE } from '../exit-code.ts';
import { ABOUT_PROGRAM_OPTIONS, jsonFlag, PROGRAM_OPTIONS, type ProgramOptions } from '../program-options.ts';
import { UsageError } from '../usage-error.ts';

/** Options of `sage-kernel deadletters`. */
export interface DeadLettersOptions extends ProgramOptions {
  readonly operator: string | undefined;
  readonly replace: boolean;
  readonly json: boolean;
}

const ACTIONS = ['show', 'retry'] as const;

/** `sage-kernel deadletters` */
export const deadletters: Command<DeadLettersOptions> = {
  name: 'deadletters',
  summary: 'shows what is in a file of dead letters, or feeds them in again',
  description: [
    "Dead letters are records at which an operator has failed, written by deadLetters().sink(new JsonLinesSink(path)). show counts them by operator and error. retry loads the program, and runs what is behind these operators in its pipeline, beginning with themselves, with the records of the letters; its sources and what is before the operators do not run. The program runs up to its first submit.",
    'A record that fails again becomes a dead letter again: where the program writes them to the same file, that holds the ones which are left. Other files that are there already are not replaced without --replace. Records come as they are in the file: what JSON cannot tell, such as a Date, is text then.',
    ABOUT_PROGRAM_OPTIONS,
  ],
  operands: [
    { name: 'action', description: 'show or retry', completes: ACTIONS, missing: 'What with them? Write sage-kernel deadletters show rejected.jsonl, or retry.' },
    { name: 'letters', description: 'the file of dead letters', completes: 'any', missing: 'Which dead letters? Write sage-kernel deadletters show rejected.jsonl.' },
    { name: 'file', description: 'for retry: the program, or the module that exports the pipeline', completes: 'program' },
  ],
  takesProgramArgs: true,
  options: {
    ...PROGRAM_OPTIONS,
    operator: { kind: 'value', placeholder: 'name', description: 'only the letters of this operator', otherwise: undefined, parse: (text) => text },
    replace: { kind: 'flag', description: 'retry: files that are there already may be written anew' },
    json: jsonFlag('show: prints { file, letters, groups }; retry: prints the result of the job; as one line of JSON'),
  },
  exitCodes: [
    [EXIT_OK, 'the letters were shown, or the job ended well, even if records have failed again'],
    [EXIT_FAILED, 'the program, the job or the plan failed'],
    [EXIT_USAGE, 'the command line is wrong, the file holds no dead letters, or a file would be replaced'],
  ],
  examples: ['sage-kernel deadletters show rejected.jsonl', 'sage-kernel deadletters retry rejected.jsonl prices.ts'],
  check({ values, operands, programArgs }) {
    const isRetry = operands[0] === 'retry';
    if (isRetry && operands[2] === undefined) throw new UsageError(`Which program? Write sage-kernel deadletters retry ${operands[1]} pipeline.ts.`);
    const given = isRetry ? undefined : (['pipeline', 'args', 'parallelism', 'replace'] as const).find((name) => values[name] !== undefined && values[name] !== false);
    if (given !== undefined) throw new UsageError(`--${given} is for retry; show runs no program.`);
    if (!isRetry && (operands[2] !== undefined || programArgs.length > 0)) throw new UsageError('show runs no program: leave it away, or write retry.');
  },
  async run({ values, operands, programArgs }) {
    const [action, letters, file] = operands;
    if (action === 'show') {
      const { showDeadLetters } = await import('../deadletters/show-dead-letters.ts');
      return showDeadLetters({ letters: letters!, operator: values.operator, json: values.json });
    }
    const { retryDeadLetters } = await import('../deadletters/retry-dead-letters.ts');
    return retryDeadLetters({ ...values, letters: letters!, file: file!, programArgs });
  },
};
