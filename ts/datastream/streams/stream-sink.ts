import type { Writable } from 'node:stream';
import type { WritableStream } from 'node:stream/web';

import { planError, SageError } from '../../common/errors.ts';
import type { SourceLocation } from '../../common/source-location.ts';
import { describeValue } from '../../functions/check-user-function.ts';
import type { StreamSink } from '../../transformations/sink-descriptor.ts';
import { isWritable, isWritableStream, whyNotWritable } from './stream-kind.ts';
import { WebStreamWriter } from './web-stream-writer.ts';
import { WritableWriter } from './writable-writer.ts';

/**
 * A Node `Writable` or a `WritableStream` as a sink; `undefined` for anything else.
 *
 * @param end whether the stream ends with the job: `true` when left away, but for standard output and error.
 * @throws SageError SAGE_PLAN_SINK for a stream that takes nothing any more, SAGE_PLAN_ARGUMENT for a wrong `end`.
 */
export function toStreamSink(value: object, end: unknown, declaredAt: SourceLocation): StreamSink | undefined {
  if (!isWritable(value) && !isWritableStream(value)) return undefined;
  if (end !== undefined && typeof end !== 'boolean') {
    throw planError('SAGE_PLAN_ARGUMENT', {
      message: `end of sink is ${describeValue(end)}`,
      expected: 'true or false',
      fix: 'Write sink(stream, { end: false }) for a stream that others go on writing to.',
      declaredAt,
    });
  }
  const name = value.constructor?.name ?? 'stream';
  const problem = whyNotWritable(value);
  if (problem !== undefined) {
    throw planError('SAGE_PLAN_SINK', {
      message: `sink was given a ${name} that ${problem}`,
      expected: 'a stream that can be written to',
      fix: 'Give a new stream, and write to it here only.',
      declaredAt,
    });
  }
  const ends = end ?? !isStandardStream(value);
  return {
    form: 'stream',
    stream: value,
    name,
    isShared: isWritable(value) && !ends,
    ends,
    open(fail) {
      const problem = whyNotWritable(value);
      if (problem !== undefined) {
        throw new SageError('SAGE_USER_SINK', `a ${name} ${problem}`, {
          help: 'A stream takes the records of one job: give a new one, or { end: false } to both jobs.',
        });
      }
      return isWritable(value) ? new WritableWriter(value, ends, fail) : new WebStreamWriter(value, ends, fail);
    },
  };
}

/** Standard output and error belong to the process: `pipe` and `pipeline` do not end them either. */
function isStandardStream(value: Writable | WritableStream<unknown>): boolean {
  return value === (process.stdout as unknown) || value === (process.stderr as unknown);
}
