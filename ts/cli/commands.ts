import type { AnyCommand } from './command.ts';
import { completion } from './commands/completion.ts';
import { deadletters } from './commands/deadletters.ts';
import { dev } from './commands/dev.ts';
import { doctor } from './commands/doctor.ts';
import { explain } from './commands/explain.ts';
import { init } from './commands/init.ts';
import { run } from './commands/run.ts';
import { savepoint } from './commands/savepoint.ts';

/** The commands that exist, in the order in which people meet them. A new one is a file and a line here. */
export const COMMANDS: readonly AnyCommand[] = [run, dev, explain, deadletters, savepoint, init, doctor, completion];
