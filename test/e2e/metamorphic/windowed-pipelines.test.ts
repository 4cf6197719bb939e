import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { canGenerateCode } from '../../../ts/runtime/codec/can-generate-code.ts';
import { PROPERTY_RUNS } from '../../property-runs.ts';
import { type Given, PLAIN, SOURCES, type Variant, runPipeline } from './windowed-pipeline.ts';

vi.setConfig({ testTimeout: Math.max(120_000, 600 * PROPERTY_RUNS) });

let linked: Worker;
beforeAll(() => {
  vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  linked = new Worker(new URL('linked-pipelines.ts', import.meta.url), { env: { ...process.env, SAGE_CODEGEN: '0' } });
});
afterAll(async () => {
  vi.restoreAllMocks();
  await linked.terminate();
});

/** Runs a pipeline without generated code. */
async function runLinked(seed: number, variant: Variant): Promise<Given> {
  linked.postMessage({ seed, variant });
  const [{ given, generatesCode, error }] = (await once(linked, 'message')) as [{ given?: Given; generatesCode?: boolean; error?: unknown }];
  if (given === undefined) throw error;
  expect(generatesCode).toBe(false);
  return given;
}

const variants: fc.Arbitrary<Variant> = fc.record({ source: fc.constantFrom(...SOURCES), parallelism: fc.integer({ min: 1, max: 4 }), async: fc.boolean(), fuse: fc.boolean() });
/** A pipeline is no smaller for a smaller seed. */
const seeds = fc.noShrink(fc.integer({ min: 1, max: 2 ** 31 - 1 }));

describe('a pipeline of windows, with records that are late, gives the same', () => {
  it('whatever the batches, the parallelism, the stages and the form of its code', async () => {
    const seen = { late: 0, second: 0 };
    await fc.assert(
      fc.asyncProperty(seeds, variants, variants, async (seed, generated, other) => {
        const plain = await runPipeline(seed, PLAIN);
        expect(await runPipeline(seed, generated)).toEqual(plain);
        expect(await runLinked(seed, other)).toEqual(plain);
        seen.late += plain.late.length;
        seen.second += plain.second.length;
      }),
      { endOnFailure: false, numRuns: PROPERTY_RUNS },
    );
    expect(canGenerateCode()).toBe(true);
    // Else it would say less than it seems to.
    if (PROPERTY_RUNS >= 100) expect(Math.min(seen.late, seen.second)).toBeGreaterThan(0);
  });
});
