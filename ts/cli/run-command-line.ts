import { parseCommandLine } from './command-line.ts';
import { COMMANDS } from './commands.ts';
import { endWithError } from './end-with-error.ts';
import { helpJson, helpText } from './help-text.ts';
import { packageVersion } from './package-version.ts';
import { endWhenUnread } from './end-when-unread.ts';

/** Does what was typed; sets the exit code, or ends the process. */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  endWhenUnread();
  try {
    const line = parseCommandLine(argv);
    switch (line.action) {
      case 'help':
        console.log(line.json ? helpJson(line.of) : helpText(line.of));
        return;
      case 'version':
        console.log(line.json ? JSON.stringify({ version: packageVersion(), node: process.version }) : packageVersion());
        return;
      case 'run':
        await line.command.run(line.input, COMMANDS);
        return;
    }
  } catch (error) {
    await endWithError(error);
  }
}
