import { finished, type Readable } from 'node:stream';

import type { RecordIterator } from '../../transformations/source-descriptor.ts';

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/**
 * The chunks of a Node `Readable` as records. What the stream has buffered is given at once; only where it has nothing a
 * promise is, so that a stream of many records in a turn does not cost a promise for each. It is never read further than
 * its own `highWaterMark`.
 */
export class ReadableRecords implements RecordIterator {
  readonly #stream: Readable;
  #outcome: { readonly error?: unknown } | undefined;
  #wake: (() => void) | undefined;
  #opened = false;

  /** Listens for errors from now on: they are the job's, also those that come before it has begun to read. */
  constructor(stream: Readable) {
    this.#stream = stream;
    finished(stream, { writable: false }, (error) => {
      this.#outcome = error == null ? {} : { error };
      this.#wake?.();
    });
  }

  next(): IteratorResult<unknown> | Promise<IteratorResult<unknown>> {
    return this.#take() ?? this.#untilReadable();
  }

  return(): void {
    this.#stream.off('readable', this.#onReadable);
    this.#stream.destroy();
  }

  readonly #onReadable = (): void => this.#wake?.();

  /** What can be said without waiting. */
  #take(): IteratorResult<unknown> | undefined {
    if (!this.#opened) {
      this.#opened = true;
      this.#stream.on('readable', this.#onReadable);
    }
    const chunk: unknown = this.#stream.destroyed ? null : this.#stream.read();
    if (chunk !== null) return { done: false, value: chunk };
    if (this.#outcome === undefined) return undefined;
    if ('error' in this.#outcome) throw this.#outcome.error;
    return DONE;
  }

  async #untilReadable(): Promise<IteratorResult<unknown>> {
    for (;;) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
      const next = this.#take();
      if (next !== undefined) return next;
    }
  }
}
