/** A promise that settles after a number of turns of the microtask queue: slow without a clock. */
export async function afterTurns<T>(value: T, turns = 3): Promise<T> {
  for (let n = 0; n < turns; n++) await Promise.resolve();
  return value;
}

/** A thenable that is no promise, as libraries make them. */
export function thenable<T>(value: T): PromiseLike<T> {
  return {
    // eslint-disable-next-line unicorn/no-thenable -- that is the point
    then: (resolve, reject) => Promise.resolve(value).then(resolve, reject),
  } as PromiseLike<T>;
}

/** A thenable that rejects and is no promise. */
export function refusing(error: Error): PromiseLike<never> {
  return {
    // eslint-disable-next-line unicorn/no-thenable -- that is the point
    then: (_resolve: unknown, reject: (error: unknown) => void) => reject(error),
  } as unknown as PromiseLike<never>;
}

/** Counts how many calls are under way at once. */
export class Overlap {
  /** Most calls that were under way at one time. */
  most = 0;
  #now = 0;

  /** Runs one call; others that begin before it settles are counted as overlapping. */
  async during<T>(call: () => T | Promise<T>): Promise<T> {
    this.most = Math.max(this.most, ++this.#now);
    try {
      return await call();
    } finally {
      this.#now--;
    }
  }
}
