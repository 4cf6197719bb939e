import type { Command } from '../command.ts';
import { EXIT_OK, EXIT_USAGE } from '../exit-code.ts';
import { jsonFlag } from '../program-options.ts';
import { SHELLS, type Shell } from '../completion/shells.ts';

/** Options of `sage-kernel completion`. */
export interface CompletionOptions {
  readonly json: boolean;
}

/** `sage-kernel completion` */
export const completion: Command<CompletionOptions> = {
  name: 'completion',
  summary: 'prints the script with which a shell completes sage-kernel',
  description: [
    'Prints a script for bash or zsh that completes commands, options, their values and files. Load it where the shell starts: in ~/.bashrc as below, in ~/.zshrc behind compinit.',
  ],
  operands: [{ name: 'shell', description: SHELLS.join(' or '), completes: SHELLS, missing: 'Which shell? Write sage-kernel completion bash, or zsh.' }],
  takesProgramArgs: false,
  options: { json: jsonFlag('prints { shell, script } as one line of JSON') },
  exitCodes: [
    [EXIT_OK, 'the script was printed'],
    [EXIT_USAGE, 'the command line is wrong'],
  ],
  examples: ['source <(sage-kernel completion bash)', 'sage-kernel completion zsh > _sage-kernel'],
  async run({ values, operands }, commands) {
    const { printCompletion } = await import('../completion/print-completion.ts');
    printCompletion(operands[0] as Shell, commands, values.json);
  },
};
