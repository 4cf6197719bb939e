import { inspect } from 'node:util';

import { SageError } from '../../../ts/index.ts';
import type { RunGraphs } from './run-graphs.ts';

/** How a run of graphs failed. */
export interface RunFailure {
  /** Runs that fail in the same way have the same: a wrong result, or the error. */
  readonly kind: string;
  readonly text: string;
}

/** Runs graphs, and cancels the job after a while; `undefined` when all is well. */
export async function runFailure(run: RunGraphs, graphs: readonly string[], maxMs: number): Promise<RunFailure | undefined> {
  try {
    const wrong = await run(graphs, AbortSignal.timeout(maxMs));
    return wrong.length === 0 ? undefined : { kind: 'wrong result', text: inspect(wrong, { depth: 6, breakLength: 160 }) };
  } catch (error) {
    const kind = error instanceof SageError ? error.code : error instanceof Error ? error.name : typeof error;
    return { kind, text: inspect(error) };
  }
}
