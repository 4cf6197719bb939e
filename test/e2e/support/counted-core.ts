import type { Core } from '../../../ts/runtime/native/core.ts';
import { loadCore } from '../../../ts/runtime/native/load-core.ts';

type CoreFunction = (...values: readonly unknown[]) => unknown;

const counts = new Map<string, number>();
let isCounted = false;

/** Puts a counter before each function of the core, for the rest of this test file; only this isolate is counted. */
function countCalls(): void {
  if (isCounted) return;
  isCounted = true;
  const core = loadCore() as unknown as Record<string, CoreFunction>;
  for (const [name, call] of Object.entries(core)) {
    core[name] = (...values) => {
      counts.set(name, (counts.get(name) ?? 0) + 1);
      return call(...values);
    };
  }
}

/** Calls of the core that are made while `work` is at it, by name. */
export async function crossingsOf(work: () => Promise<unknown>): Promise<ReadonlyMap<keyof Core, number>> {
  countCalls();
  counts.clear();
  await work();
  return new Map(counts) as Map<never, number>;
}
