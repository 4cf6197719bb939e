import type { Command } from '../command.ts';
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE } from '../exit-code.ts';
import type { InitOptions } from '../init/run-init.ts';
import { TEMPLATES, type TemplateName } from '../init/templates.ts';
import { jsonFlag } from '../program-options.ts';

/** `sage-kernel init` */
export const init: Command<InitOptions> = {
  name: 'init',
  summary: 'makes a new project of one of four templates',
  description: [
    `Makes a project: package.json, tsconfig.json, README, sources and tests. The templates: ${Object.entries(TEMPLATES).map(([name, { summary }]) => `${name} (${summary})`).join(', ')}.`,
    'Where the template is left away, a terminal is asked. A folder that holds something is refused, unless --force allows to write over files of the same names.',
  ],
  operands: [{ name: 'folder', description: 'where; the working directory when left away', completes: 'folder' }],
  takesProgramArgs: false,
  options: {
    template: {
      kind: 'value',
      short: 't',
      placeholder: 'name',
      description: `${Object.keys(TEMPLATES).join(', ')}`,
      choices: Object.keys(TEMPLATES),
      otherwise: undefined,
      parse: (text) => text as TemplateName,
    },
    force: { kind: 'flag', description: 'also into a folder that is not empty; files of the same names are overwritten' },
    json: jsonFlag('prints { template, folder, files } as one line of JSON, and asks nothing'),
  },
  exitCodes: [
    [EXIT_OK, 'the project is there'],
    [EXIT_FAILED, 'a file could not be written'],
    [EXIT_USAGE, 'the command line is wrong, or the folder is not empty'],
  ],
  examples: ['sage-kernel init totals --template files', 'sage-kernel init triage --template agent --json'],
  async run({ values, operands }) {
    const { runInit } = await import('../init/run-init.ts');
    await runInit({ ...values, folder: operands[0] ?? '.' });
  },
};
