import { SageError } from '../common/errors.ts';
import type { JobResult } from '../transformations/job.ts';

/** An error as the command line prints it with `--json`. */
interface ErrorJson {
  /** `undefined`, and so not there, for errors that are not ours. */
  readonly code: string | undefined;
  readonly message: string;
  readonly operator: string | undefined;
  /** `file:line:column` */
  readonly declaredAt: string | undefined;
  readonly retryable: boolean | undefined;
  readonly help: string | undefined;
}

/** One line for a job: its result, field by field so that the line stays as it is, and its error if it has one. */
export function jobJson(result: JobResult, error: unknown): string {
  const { jobId, name, status, recordsIn, recordsOut, recordsDropped, recordsSkipped, deadLetters, durationMs, isolates, operators, edges, scaling, restarts, guarantee } = result;
  const failure = error === undefined ? {} : { error: errorFields(error) };
  return JSON.stringify({ jobId, name, status, recordsIn, recordsOut, recordsDropped, recordsSkipped, deadLetters, durationMs, isolates, operators, edges, scaling, restarts, guarantee, ...failure });
}

/** One line for what went wrong before there was a job. */
export function errorJson(error: unknown): string {
  return JSON.stringify({ error: errorFields(error) });
}

/** Whether this is a `SageError`, of whichever copy of the package. */
export function looksLikeSageError(error: unknown): error is SageError {
  return error instanceof SageError || (error instanceof Error && error.name === 'SageError' && 'code' in error);
}

function errorFields(error: unknown): ErrorJson {
  if (!looksLikeSageError(error)) {
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { code: undefined, message, operator: undefined, declaredAt: undefined, retryable: undefined, help: undefined };
  }
  const { code, message, operator, declaredAt, retryable, help } = error;
  const place = declaredAt === undefined ? undefined : `${declaredAt.file}:${declaredAt.line}:${declaredAt.column}`;
  return { code, message, operator, declaredAt: place, retryable, help };
}
