/** The product as a program sees it. */
export type Engine = typeof import('sage-kernel');

/** Imports the placed package. */
export function importEngine(): Promise<Engine> {
  return import('sage-kernel');
}
