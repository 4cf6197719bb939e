import type { ChildProcess } from 'node:child_process';

/** What a process has printed, to the streams that this process reads. */
export interface ChildOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * What a child has printed, once it has ended well. To be called in the turn in which it was started: when a child ends, Node throws
 * away what nobody has begun to read.
 *
 * @throws Error that names the child, how it ended and what it wrote to standard error.
 */
export function childOutput(name: string, child: ChildProcess): Promise<ChildOutput> {
  const written = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) child[stream]?.setEncoding('utf8').on('data', (text: string) => (written[stream] += text));
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new Error(`${name} did not start`, { cause: error })));
    child.once('close', (code, signal) => {
      if (code === 0) resolve(written);
      else reject(new Error(`${name} ended ${signal === null ? `with exit code ${code}` : `by ${signal}`}: ${written.stderr.trim() || 'it wrote nothing to standard error'}`));
    });
  });
}

/** The report that a child printed as JSON. @throws Error that names the child and shows what it printed. */
export function reportIn<T>(name: string, text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new Error(`${name} ended well and printed no report but ${JSON.stringify(text.slice(0, 500))}`, { cause: error });
  }
}
