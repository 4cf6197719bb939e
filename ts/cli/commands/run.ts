import type { Command } from '../command.ts';
import { EXIT_FAILED, EXIT_OK, EXIT_UNREAD, EXIT_USAGE } from '../exit-code.ts';
import { ABOUT_PROGRAM_OPTIONS, jsonFlag, PROGRAM_OPTIONS, programOperand } from '../program-options.ts';
import type { RunOptions } from '../run-in-terminal.ts';

/** `sage-kernel run` */
export const run: Command<RunOptions> = {
  name: 'run',
  summary: 'runs a program that submits a pipeline, or a pipeline that a module exports',
  description: [
    'Runs a program that submits a pipeline, or a pipeline that a module exports with definePipeline. While jobs run, standard error shows their progress; at the end it has a summary.',
    ABOUT_PROGRAM_OPTIONS,
    'A signal (Ctrl-C, SIGTERM, SIGHUP) stops the jobs, lets records in flight arrive, writes a last checkpoint where there are any, and ends the process as the signal does, but for SIGTERM, behind which the exit code is 0. A second one cancels.',
  ],
  operands: [programOperand('run')],
  takesProgramArgs: true,
  options: {
    ...PROGRAM_OPTIONS,
    json: jsonFlag('prints the result of each job as one line of JSON; what the program itself prints then goes to standard error'),
    quiet: { kind: 'flag', short: 'q', description: 'neither progress nor a summary on standard error' },
  },
  exitCodes: [
    [EXIT_OK, 'the program ended well'],
    [EXIT_FAILED, "the program, a job or the pipeline's plan failed"],
    [EXIT_USAGE, 'the command line is wrong, or the file holds no pipeline'],
    [EXIT_UNREAD, 'nobody reads any more what it prints'],
  ],
  examples: [
    'sage-kernel run squares.ts -- 10',
    `sage-kernel run totals.ts --args '{"input":"orders.jsonl","output":"totals.jsonl"}' --parallelism 2`,
  ],
  async run({ values, operands, programArgs }) {
    const { runInTerminal } = await import('../run-in-terminal.ts');
    await runInTerminal({ ...values, file: operands[0]!, programArgs });
  },
};
