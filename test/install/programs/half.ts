/** Beside the program, so that bundling it has something to do. */
export const half = (n: number): number => n / 2;
