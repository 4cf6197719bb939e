/** The program or its job failed; so it is also when the pipeline is wrong. */
export const EXIT_FAILED = 1;
/** The command line is wrong, or the file holds no pipeline: nothing was run. */
export const EXIT_USAGE = 2;
