import { Readable } from 'node:stream';

import { SageError } from '../../common/errors.ts';
import type { RecordPull } from './record-pull.ts';

/** Options of `toReadable`. */
export interface ToReadableOptions {
  /** `true` when left away: each record is a chunk. `false` for a stream of bytes, whose records must be strings or bytes. */
  readonly objectMode?: boolean;
  /** Records (bytes without object mode) that the stream keeps ready; Node's own number when left away. */
  readonly highWaterMark?: number;
}

/** A Node `Readable` that takes records as it is read. */
export function openReadable<T>(records: RecordPull<T>, { objectMode = true, highWaterMark }: ToReadableOptions): Readable {
  // A push that comes later lets Node ask again, though the first answer still waits for more.
  let isFilling = false;
  const fill = async (stream: Readable): Promise<void> => {
    isFilling = true;
    try {
      while (await records.untilAvailable()) {
        let wantsMore = true;
        while (wantsMore && records.available > 0) wantsMore = stream.push(chunkOf(records.take(), objectMode));
        if (!wantsMore) return;
      }
      stream.push(null);
    } finally {
      isFilling = false;
    }
  };
  return new Readable({
    objectMode,
    ...(highWaterMark === undefined ? {} : { highWaterMark }),
    read() {
      if (!isFilling) fill(this).catch((error: unknown) => this.destroy(error as Error));
    },
    async destroy(error, callback) {
      let failure = error;
      try {
        await records.leave();
      } catch (leaving) {
        failure ??= leaving as Error;
      }
      callback(failure);
    },
  });
}

/** What cannot be a chunk must not end the stream, or vanish in it. */
function chunkOf(record: unknown, objectMode: boolean): unknown {
  if (record !== null && (objectMode || typeof record === 'string' || record instanceof Uint8Array)) return record;
  const what = record === null ? 'null, which a Node stream takes for its end' : `of the type ${typeof record}, and not text or bytes`;
  throw new SageError('SAGE_USER_WRONG_TYPE', `a record for toReadable() is ${what}`, {
    record,
    help: record === null ? 'Filter null out, or wrap the records: map((record) => ({ record })).' : 'Make text of the records before collect(), or leave objectMode away.',
  });
}
