import { ReadableStream } from 'node:stream/web';

import type { RecordPull } from './record-pull.ts';

/** Options of `toReadableStream`. */
export interface ToReadableStreamOptions {
  /** Records that the stream keeps ready; 64 when left away. With 0 nothing starts before the first read. */
  readonly highWaterMark?: number;
}

/** A `ReadableStream` that takes records as it is read. */
export function openReadableStream<T>(records: RecordPull<T>, { highWaterMark = 64 }: ToReadableStreamOptions): ReadableStream<T> {
  return new ReadableStream<T>(
    {
      async pull(controller) {
        if (!(await records.untilAvailable())) {
          controller.close();
          return;
        }
        do controller.enqueue(records.take());
        while (records.available > 0 && (controller.desiredSize ?? 0) > 0);
      },
      async cancel() {
        await records.leave();
      },
    },
    { highWaterMark },
  );
}
