import type { Row } from './graph.ts';

let held: Promise<void> = Promise.resolve();
let letGo: () => void = () => undefined;

/** From now on some rows of sources wait, in this thread. */
export function hold(): void {
  ({ promise: held, resolve: letGo } = Promise.withResolvers<void>());
}

/** Lets those rows pass that wait, and all that follow. */
export function letPass(): void {
  letGo();
}

/** Of a source's filter, which passes all; some rows, which the salt says, only when they are let. */
export function pass(salt: number, row: Row): boolean | Promise<boolean> {
  return (row.v + salt) % 23 === 0 ? held.then(() => true) : true;
}
