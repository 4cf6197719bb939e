import type { StreamSink, StreamWriter } from '../../transformations/sink-descriptor.ts';

interface OpenWriter {
  readonly writer: StreamWriter;
  /** Makes the job's error of what went wrong. */
  readonly failed: (error: unknown) => Error;
}

/** The streams that a task writes to: ended with a task that has ended well, left with the reason of any other end. */
export class StreamWriters {
  readonly #open: OpenWriter[] = [];

  /** Opens a stream; gives the function that takes a record. @param fail told of an error that comes when nobody writes. */
  open(sink: StreamSink, failed: (error: unknown) => Error, fail: (error: Error) => void): StreamWriter['write'] {
    const writer = sink.open((error) => fail(failed(error)));
    this.#open.push({ writer, failed });
    return (record) => writer.write(record);
  }

  /** Ends all streams, and waits until they have taken everything, or the job is over. Throws the first error. */
  async end(signal: AbortSignal): Promise<void> {
    this.leave(signal);
    for (const { writer, failed } of this.#open) {
      await writer.end().catch((error: unknown) => {
        throw failed(error);
      });
    }
    this.#open.length = 0;
  }

  /** The job has failed or was cancelled, or may yet: the streams are told why as soon as that is known. */
  leave(signal: AbortSignal): void {
    if (this.#open.length === 0) return;
    if (signal.aborted) this.abort(signal.reason);
    else signal.addEventListener('abort', () => this.abort(signal.reason), { once: true });
  }

  abort(reason: unknown): void {
    for (const { writer } of this.#open.splice(0)) writer.abort(reason);
  }
}
