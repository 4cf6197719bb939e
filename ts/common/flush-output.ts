import { Writable } from 'node:stream';

/**
 * Waits until all that this process has printed has left it, and no longer than so many milliseconds. Node writes to pipes in the
 * background: who ends a process at once (`process.exit`, a signal) loses what the reader has not taken yet.
 */
export async function flushOutput(deadlineMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadlineMs);
  });
  await Promise.race([Promise.all([process.stdout, process.stderr].map(flushed)), late]);
  clearTimeout(timer);
}

function flushed(stream: NodeJS.WriteStream): Promise<void> | undefined {
  if (stream.writableLength === 0 || !stream.writable) return undefined;
  return new Promise((resolve) => {
    // Behind all other writes, and not by the stream's own `write`, which a program may have replaced.
    Writable.prototype.write.call(stream, '', 'utf8', () => resolve());
  });
}
