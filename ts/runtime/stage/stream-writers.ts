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

  /** Ends all streams, and waits until they have taken everything; a job that is over by then is told so. Throws the first error. */
  async end(signal: AbortSignal): Promise<void> {
    if (signal.aborted) this.abort(signal.reason);
    const leave = (): void => this.abort(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    try {
      for (const { writer, failed } of this.#open) {
        await writer.end().catch((error: unknown) => {
          throw failed(error);
        });
      }
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  abort(reason: unknown): void {
    for (const { writer } of this.#open.splice(0)) writer.abort(reason);
  }
}
