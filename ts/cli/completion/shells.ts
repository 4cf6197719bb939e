/** Shells that there is a completion script for. */
export const SHELLS = ['bash', 'zsh'] as const;

/** A shell that there is a completion script for. */
export type Shell = (typeof SHELLS)[number];
