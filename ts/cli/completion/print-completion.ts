import type { AnyCommand } from '../command.ts';
import { bashCompletion } from './bash-completion.ts';
import type { Shell } from './shells.ts';
import { zshCompletion } from './zsh-completion.ts';

/** `sage-kernel completion` */
export function printCompletion(shell: Shell, commands: readonly AnyCommand[], json: boolean): void {
  const script = shell === 'bash' ? bashCompletion(commands) : zshCompletion(commands);
  console.log(json ? JSON.stringify({ shell, script }) : script);
}
