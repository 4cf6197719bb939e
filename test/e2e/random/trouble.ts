import { compute } from './functions.ts';
import type { Asynchrony, Policy, Row } from './graph.ts';

/** What the functions of a step need to know; can be cloned, so that classes take it as an argument. */
export interface Spec {
  readonly salt: number;
  readonly policy: Policy | undefined;
  readonly async: Asynchrony;
}

/** Makes the functions of one step slow and lets them fail, as its spec says. */
export class Trouble {
  readonly #spec: Spec;
  readonly #tried = new WeakSet<Row>();

  constructor(spec: Spec) {
    this.#spec = spec;
  }

  /** @throws when the row is one at which the step fails, or fails at first. */
  strike(row: Row): void {
    const { salt, policy } = this.#spec;
    if (compute.fails(salt, policy, row)) throw new RangeError(`fails at ${row.v}`);
    if (!compute.isFlaky(salt, policy, row) || this.#tried.has(row)) return;
    this.#tried.add(row);
    throw new TypeError(`fails at ${row.v} once`);
  }

  /** Gives a value, or fails, now or later; later by one turn of the event loop now and then. */
  give<T>(row: Row, make: () => T): T | Promise<T> {
    const { async: how } = this.#spec;
    if (how === 'never' || (how === 'sometimes' && !compute.isAsync(row))) {
      this.strike(row);
      return make();
    }
    const later = row.v % 50 === 0 ? new Promise((resolve) => setImmediate(resolve)) : Promise.resolve();
    return later.then(() => {
      this.strike(row);
      return make();
    });
  }
}
