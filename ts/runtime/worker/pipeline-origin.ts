import { existsSync, realpathSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { isMainThread } from 'node:worker_threads';

import type { StreamEnvironment } from '../../transformations/stream-environment.ts';

/** How a worker thread builds the same pipeline again. */
export type PipelineOrigin =
  /** It imports the module and calls the `index`-th pipeline that it defines. */
  | { readonly kind: 'module'; readonly url: string; readonly index: number; readonly args: unknown }
  /** It runs the program again up to its first `submit`. */
  | { readonly kind: 'script'; readonly url: string }
  /** It cannot: built in a test body, in the REPL, or after an earlier submit; or it is not to, where that is wanted. */
  | { readonly kind: 'none'; readonly reason: string; readonly isWanted?: boolean };

const origins = new WeakMap<StreamEnvironment, PipelineOrigin>();
const ENTRY = Symbol.for('sage-kernel.entry');
let submits = 0;

/** Says how workers build this environment's pipeline; `definePipeline` does. */
export function setPipelineOrigin(environment: StreamEnvironment, origin: PipelineOrigin): void {
  origins.set(environment, origin);
}

/** Makes another file than `process.argv[1]` the program that workers run again; `sage-kernel run` does. */
export function setEntryFile(path: string): void {
  (globalThis as Record<symbol, unknown>)[ENTRY] = path;
}

function entryFile(): string | undefined {
  const path = ((globalThis as Record<symbol, unknown>)[ENTRY] as string | undefined) ?? process.argv[1];
  if (path === undefined || !existsSync(path)) return undefined;
  return realpathSync(path);
}

/** Whether the program's own file is among the callers; asynchronous callers count. */
function calledBy(file: string): boolean {
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = 100;
  const { stack = '' } = new Error('where from');
  Error.stackTraceLimit = before;
  return stack.includes(pathToFileURL(file).href) || stack.includes(`${file}:`);
}

/**
 * How workers could build the pipeline that is being submitted (or only explained). Call it synchronously in `submit`: it
 * looks at the callers.
 */
export function pipelineOrigin(environment: StreamEnvironment, purpose: 'submit' | 'explain'): PipelineOrigin {
  const known = origins.get(environment);
  const isFirst = submits === 0;
  if (purpose === 'submit') submits++;
  if (known !== undefined) return known;
  if (!isMainThread) return { kind: 'none', reason: 'it was built in a worker thread' };
  const file = entryFile();
  if (file === undefined) return { kind: 'none', reason: 'the program has no file (REPL or --eval)' };
  if (/[\\/]node_modules[\\/]/.test(file) || !calledBy(file)) {
    return { kind: 'none', reason: 'it was not built by the program that was started (a test body, for instance)' };
  }
  if (!isFirst) return { kind: 'none', reason: 'the program has submitted a job before' };
  return { kind: 'script', url: pathToFileURL(file).href };
}
