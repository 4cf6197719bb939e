import type { WritableStream, WritableStreamDefaultWriter } from 'node:stream/web';

import type { StreamWriter } from '../../transformations/sink-descriptor.ts';

/** Writes records as the chunks of a `WritableStream`. */
export class WebStreamWriter implements StreamWriter {
  readonly #writer: WritableStreamDefaultWriter<unknown>;
  readonly #end: boolean;
  #failure: { readonly error: unknown } | undefined;
  #isLeaving = false;
  #lastWrite: Promise<void> = Promise.resolve();

  /** @param end whether the stream is closed with the job. @param fail told of an error that comes when nobody writes. */
  constructor(stream: WritableStream<unknown>, end: boolean, fail: (error: unknown) => void) {
    this.#writer = stream.getWriter();
    this.#end = end;
    this.#writer.closed.then(noop, (error: unknown) => {
      if (this.#isLeaving) return;
      this.#failure = { error };
      fail(error);
    });
  }

  write(record: unknown): Promise<void> | undefined {
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#lastWrite = this.#writer.write(record);
    // What goes wrong is said by `closed`, which comes also when nobody waits.
    this.#lastWrite.catch(noop);
    return (this.#writer.desiredSize ?? 0) > 0 ? undefined : this.#writer.ready;
  }

  async end(): Promise<void> {
    this.#isLeaving = true;
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#end) {
      await this.#writer.close();
      return;
    }
    await this.#lastWrite;
    this.#writer.releaseLock();
  }

  abort(reason: unknown): void {
    this.#isLeaving = true;
    if (this.#end) this.#writer.abort(reason).catch(noop); // why the job is over is known
    else this.#writer.releaseLock();
  }
}

function noop(): void {}
