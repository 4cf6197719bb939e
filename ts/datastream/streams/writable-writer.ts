import { finished, type Writable } from 'node:stream';

import { SageError } from '../../common/errors.ts';
import { describeValue } from '../../functions/check-user-function.ts';
import type { StreamWriter } from '../../transformations/sink-descriptor.ts';

/** Writes records as the chunks of a Node `Writable`. */
export class WritableWriter implements StreamWriter {
  readonly #stream: Writable;
  readonly #end: boolean;
  readonly #fail: (error: unknown) => void;
  readonly #forget: () => void;
  readonly #settled = Promise.withResolvers<void>();
  #failure: { readonly error: unknown } | undefined;
  /** Chunks that the stream has not handed on yet. */
  #pending = 0;
  #isLeaving = false;
  #room: PromiseWithResolvers<void> | undefined;
  #flushed: PromiseWithResolvers<void> | undefined;

  /** @param end whether the stream ends with the job. @param fail told of an error that comes when nobody writes. */
  constructor(stream: Writable, end: boolean, fail: (error: unknown) => void) {
    this.#stream = stream;
    this.#end = end;
    this.#fail = fail;
    this.#settled.promise.catch(() => undefined); // `end` looks at it, if it comes to that
    stream.on('drain', this.#onDrain);
    this.#forget = finished(stream, { readable: false }, (error) => this.#onFinished(error));
  }

  write(record: unknown): Promise<void> | undefined {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (!this.#stream.writableObjectMode) checkChunk(record);
    else if (record === null) throw noNull();
    this.#pending++;
    if (this.#stream.write(record, this.#onWritten)) return undefined;
    if (this.#failure !== undefined) throw (this.#failure as { readonly error: unknown }).error;
    this.#room ??= Promise.withResolvers<void>();
    return this.#room.promise;
  }

  async end(): Promise<void> {
    this.#isLeaving = true;
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#end) {
      this.#stream.end();
      await this.#settled.promise;
      return;
    }
    if (this.#pending > 0) {
      this.#flushed = Promise.withResolvers<void>();
      await this.#flushed.promise;
    }
    this.#stream.off('drain', this.#onDrain);
    this.#forget();
  }

  abort(reason: unknown): void {
    this.#isLeaving = true;
    if (this.#end) {
      this.#stream.destroy(reason instanceof Error ? reason : new Error(String(reason)));
      return;
    }
    this.#stream.off('drain', this.#onDrain);
    this.#forget();
    this.#leaveWaits(reason);
  }

  readonly #onDrain = (): void => {
    this.#room?.resolve();
    this.#room = undefined;
  };

  readonly #onWritten = (error?: Error | null): void => {
    this.#pending--;
    if (this.#pending === 0 && error == null) this.#flushed?.resolve();
  };

  #onFinished(error: Error | null | undefined): void {
    if (error == null && this.#isLeaving) {
      this.#settled.resolve();
      return;
    }
    this.#failure = { error: error ?? new Error('the Writable was ended by something else than this job') };
    this.#leaveWaits(this.#failure.error);
    if (!this.#isLeaving) this.#fail(this.#failure.error);
  }

  #leaveWaits(reason: unknown): void {
    for (const wait of [this.#room, this.#flushed, this.#settled]) {
      wait?.promise.catch(() => undefined);
      wait?.reject(reason);
    }
    this.#room = undefined;
  }
}

function checkChunk(record: unknown): void {
  if (typeof record === 'string' || record instanceof Uint8Array) return;
  throw new SageError('SAGE_USER_WRONG_TYPE', `a Writable of bytes was given ${describeValue(record)}`, {
    help: 'Make text or bytes of the records before the sink, for instance with map((record) => `${JSON.stringify(record)}\\n`), or use a Writable in object mode.',
  });
}

function noNull(): SageError {
  return new SageError('SAGE_USER_WRONG_TYPE', 'a record is null, which a Node stream cannot hold', {
    help: 'Filter null out, or wrap the records: map((record) => ({ record })).',
  });
}
