import { EXIT_UNREAD } from './exit-code.ts';

/**
 * From now on the process ends, without a word, when nobody reads any more what it prints, as other commands do behind `| head`. Jobs
 * end as they do in every process that exits. A program that listens to such errors itself decides itself.
 */
export function endWhenUnread(): void {
  for (const stream of [process.stdout, process.stderr]) {
    const listener = (error: NodeJS.ErrnoException): void => {
      if (stream.listeners('error').some((other) => other !== listener)) return;
      if (error.code === 'EPIPE') process.exit(EXIT_UNREAD);
      // The terminal was closed: SIGHUP comes as well, and says what to do.
      if (error.code !== 'EIO' || !stream.isTTY) throw error;
    };
    stream.on('error', listener);
  }
}
