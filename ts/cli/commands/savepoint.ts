import type { Command } from '../command.ts';
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE } from '../exit-code.ts';
import { jsonFlag } from '../program-options.ts';

/** Options of `sage-kernel savepoint`. */
export interface SavepointOptions {
  readonly json: boolean;
}

const ACTIONS = ['show'] as const;

/** `sage-kernel savepoint` */
export const savepoint: Command<SavepointOptions> = {
  name: 'savepoint',
  summary: 'shows what is in a savepoint or a checkpoint, after checking all of it',
  description: [
    'A savepoint is a file that job.savepoint(path) or job.stop({ savepoint: path }) has written. show reads all of it, compares every checksum, and lists what it holds: the operators by their uid, and of each instance its parts, how they are divided (own: by instance; keyed: by key), their entries and bytes.',
    'Of a checkpoint directory it shows the newest checkpoint that is whole, and names those that are damaged. A job may be writing to the directory meanwhile. No program is run, and nothing is written.',
  ],
  operands: [
    { name: 'action', description: 'show', completes: ACTIONS, missing: 'What with it? Write sage-kernel savepoint show savepoints/first.' },
    { name: 'path', description: 'a savepoint, a file of a checkpoint directory, or the directory', completes: 'any', missing: 'Which savepoint? Write sage-kernel savepoint show savepoints/first.' },
  ],
  takesProgramArgs: false,
  options: { json: jsonFlag('prints { path, formatVersion, epoch, checksums, bytes, metadata, operators, files, skipped } as one line of JSON') },
  exitCodes: [
    [EXIT_OK, 'all of it is whole'],
    [EXIT_FAILED, 'something is damaged, of a newer format, or cannot be read'],
    [EXIT_USAGE, 'the command line is wrong, or there is no such file'],
  ],
  examples: ['sage-kernel savepoint show savepoints/first', 'sage-kernel savepoint show checkpoints --json'],
  async run({ values, operands }) {
    const { showSavepoint } = await import('../savepoint/show-savepoint.ts');
    showSavepoint({ path: operands[1]!, json: values.json });
  },
};
