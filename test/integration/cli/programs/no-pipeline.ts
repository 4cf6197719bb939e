/** A program that has nothing to do with pipelines. */
export const answer = 42;
