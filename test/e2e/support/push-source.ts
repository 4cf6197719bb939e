/** A source that never ends by itself: a test pushes records into it, each taken when the next one is asked for. */
export class PushSource<T> implements AsyncIterable<T> {
  #wanted = Promise.withResolvers<void>();
  #next = Promise.withResolvers<IteratorResult<T>>();

  /** Gives the job one more record; resolves when it has asked for the next one, and so has worked on this one. */
  async push(record: T): Promise<void> {
    await this.#wanted.promise;
    this.#wanted = Promise.withResolvers();
    this.#next.resolve({ done: false, value: record });
    await this.#wanted.promise;
  }

  end(): void {
    this.#next.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return {
      next: async () => {
        this.#next = Promise.withResolvers();
        this.#wanted.resolve();
        return this.#next.promise;
      },
    };
  }
}
