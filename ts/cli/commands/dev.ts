import type { Command } from '../command.ts';
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE } from '../exit-code.ts';
import { ABOUT_PROGRAM_OPTIONS, jsonFlag, programOperand } from '../program-options.ts';
import type { RunOptions } from '../run-in-terminal.ts';
import { run } from './run.ts';

/** `sage-kernel dev` */
export const dev: Command<RunOptions> = {
  name: 'dev',
  summary: 'runs a program, and runs it again whenever a file that it imports is saved',
  description: [
    'Runs a program as run does, in a process of its own, and starts it again when one of the local files that it imports is saved: not those in node_modules, and not those that only worker threads import. Its jobs are stopped first, so that records in flight arrive; what has not ended after 5 seconds is cancelled. It goes on after a failure: the next save is the next try.',
    ABOUT_PROGRAM_OPTIONS,
    'Ctrl-C, SIGTERM or the end of the terminal (SIGHUP) stop the program and end dev as the signal does. A second one ends both at once.',
  ],
  operands: [programOperand('dev')],
  takesProgramArgs: true,
  options: {
    ...run.options,
    json: jsonFlag('prints one line of JSON for each event (started, changed, ended) and for the result of each job'),
    quiet: { kind: 'flag', short: 'q', description: 'no progress and no summary of jobs; the lines about restarts stay' },
  },
  exitCodes: [
    [EXIT_OK, 'never: it ends by a signal'],
    [EXIT_FAILED, 'this Node is older than 22.15 and cannot say what a program imports'],
    [EXIT_USAGE, 'the command line is wrong, or there is no such file'],
  ],
  examples: ['sage-kernel dev squares.ts', 'sage-kernel dev squares.ts --json -- 10'],
  async run({ values, operands, programArgs }) {
    const { runDev } = await import('../dev/run-dev.ts');
    await runDev({ ...values, file: operands[0]!, programArgs });
  },
};
