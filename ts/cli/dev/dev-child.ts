/** The process in which `sage-kernel dev` runs the program: as `run` does, telling what it imports and listening when to stop. */
import { endProcess } from '../end-process.ts';
import { endWhenUnread } from '../end-when-unread.ts';
import { endWithError } from '../end-with-error.ts';
import type { Program } from '../program-options.ts';
import { type RunOptions, runInTerminal } from '../run-in-terminal.ts';
import { reportImports } from './report-imports.ts';

endWhenUnread();
const program = JSON.parse(process.argv[2]!) as Program & RunOptions;

/** As a signal does, also where the system has none: jobs stop, a second one cancels, and the process ends. */
const stop = (): void => {
  if (!process.emit('SIGTERM', 'SIGTERM')) void endProcess();
};
process.on('message', stop);
// Whoever started this is gone.
process.on('disconnect', stop);
// Listening is no reason to stay when the program has ended.
process.channel?.unref();
reportImports((message) => process.connected && process.send?.(message));

try {
  await runInTerminal(program);
} catch (error) {
  await endWithError(error);
}
