import { pathToFileURL } from 'node:url';

import { ownCode } from './package-paths.ts';

const OWN_URL = pathToFileURL(ownCode).href;

/** Whether a line of a stack is a frame; the places in the message of a plan error are indented less. */
export function isFrame(line: string): boolean {
  return /^ {4}at /.test(line);
}

/** A frame of this package, of the functions that it generates, or of Node's insides: not where the user looks. */
export function isOwnFrame(line: string): boolean {
  return isFrame(line) && (line.includes(ownCode) || line.includes(OWN_URL) || line.includes('sage-kernel/') || /\(?node:internal\//.test(line));
}

/** A stack that begins in the user's code: our frames on its top only say how we came to complain. */
export function withoutTopFrames(stack: string): string {
  const lines = stack.split('\n');
  const first = lines.findIndex(isFrame);
  const users = lines.findIndex((line, n) => n >= first && !isOwnFrame(line));
  // One that is ours all the way is better than none.
  return first < 0 || users < 0 ? stack : [...lines.slice(0, first), ...lines.slice(users)].join('\n');
}

/** A stack with frames of the user's code and of the packages that it uses. */
export function usersFrames(stack: string): string {
  return stack.split('\n').filter((line) => !isOwnFrame(line)).join('\n');
}
