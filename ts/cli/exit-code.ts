/** All went well. */
export const EXIT_OK = 0;
/** The program or its job failed, or something that was looked at is not as it must be. */
export const EXIT_FAILED = 1;
/** The command line is wrong, or the file holds no pipeline: nothing was run. */
export const EXIT_USAGE = 2;

/** How the command ends, unless a signal ends it. */
export type ExitCode = typeof EXIT_OK | typeof EXIT_FAILED | typeof EXIT_USAGE;
