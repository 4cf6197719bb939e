/** All went well. */
export const EXIT_OK = 0;
/** The program or its job failed, or something that was looked at is not as it must be. */
export const EXIT_FAILED = 1;
/** The command line is wrong, or the file holds no pipeline: nothing was run. */
export const EXIT_USAGE = 2;
/** Nobody reads any more what is printed; what a shell shows of programs that such a pipe ends. */
export const EXIT_UNREAD = 141;

/** How the command ends, unless a signal ends it. */
export type ExitCode = typeof EXIT_OK | typeof EXIT_FAILED | typeof EXIT_USAGE | typeof EXIT_UNREAD;
