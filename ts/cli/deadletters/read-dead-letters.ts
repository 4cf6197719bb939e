import { type FileHandle, open } from 'node:fs/promises';

import type { DeadLetter } from '../../transformations/dead-letter.ts';
import { UsageError } from '../usage-error.ts';

/** The dead letters of a file of JSON lines, one after the other. @throws UsageError that names the line which is none. */
export async function* readDeadLetters(path: string): AsyncGenerator<DeadLetter<unknown>, void, undefined> {
  let line = 0;
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    for await (const text of file.readLines()) {
      line++;
      if (text.trim() !== '') yield letterOf(text, path, line);
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`The dead letters cannot be read: ${(error as Error).message}.`, { cause: error });
  } finally {
    await file?.close();
  }
}

function letterOf(text: string, path: string, line: number): DeadLetter<unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${path}:${line} is not JSON: ${(error as Error).message}. A file of dead letters is what deadLetters().sink(new JsonLinesSink(path)) has written.`, { cause: error });
  }
  if (isLetter(value)) return value;
  throw new UsageError(`${path}:${line} is no dead letter: it has no operator, error, declaredAt or attempts. Write the letters as they are, with deadLetters().sink(new JsonLinesSink(path)).`);
}

function isLetter(value: unknown): value is DeadLetter<unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const { operator, error, declaredAt, attempts } = value as Partial<Record<keyof DeadLetter<unknown>, unknown>>;
  return typeof operator === 'string' && isObject(error) && isObject(declaredAt) && typeof attempts === 'number';
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
