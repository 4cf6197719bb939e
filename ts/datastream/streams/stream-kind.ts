import type { Readable, Writable } from 'node:stream';
import stream from 'node:stream';
import type { ReadableStream, WritableStream } from 'node:stream/web';

/** Whether `value` has all of these methods. */
function hasMethods(value: object, ...names: readonly string[]): boolean {
  return names.every((name) => typeof (value as Readonly<Record<string, unknown>>)[name] === 'function');
}

/** A Node `Readable`, or one of another copy of the class (`readable-stream`, an HTTP message). */
export function isReadable(value: object): value is Readable {
  return hasMethods(value, 'read', 'on', 'destroy') && 'readableObjectMode' in value;
}

/** A Node `Writable`, or one of another copy of the class, such as the response of an HTTP server. */
export function isWritable(value: object): value is Writable {
  return hasMethods(value, 'write', 'end', 'on', 'destroy') && 'writableObjectMode' in value;
}

/** A `ReadableStream` of the web. */
export function isReadableStream(value: object): value is ReadableStream<unknown> {
  return hasMethods(value, 'getReader', 'cancel') && 'locked' in value;
}

/** A `WritableStream` of the web. */
export function isWritableStream(value: object): value is WritableStream<unknown> {
  return hasMethods(value, 'getWriter', 'abort') && 'locked' in value;
}

/** Why nothing, or not everything, would come out of the stream, if so: goes on behind "a Readable that". */
export function whyNotReadable(value: Readable | ReadableStream<unknown>): string | undefined {
  if (isReadableStream(value)) {
    if (value.locked) return 'is locked to another reader';
    const isSpent = stream.Readable.isDisturbed(value as never) && stream.isReadable(value as never) === false;
    return isSpent && !stream.isErrored(value as never) ? 'was read to its end before' : undefined;
  }
  if (value.readableEnded) return 'was read to its end before';
  if (value.errored != null) return `has failed: ${value.errored.message}`;
  if (value.destroyed) return 'was destroyed';
  return value.readableFlowing === true ? "flows to another reader (a 'data' listener or a pipe)" : undefined;
}

/** Why the stream takes no records, if so: goes on behind "a Writable that". */
export function whyNotWritable(value: Writable | WritableStream<unknown>): string | undefined {
  if (isWritableStream(value)) return value.locked ? 'is locked to another writer' : undefined;
  if (value.errored != null) return `has failed: ${value.errored.message}`;
  if (value.destroyed) return 'was destroyed';
  return value.writableEnded ? 'was ended before' : undefined;
}
