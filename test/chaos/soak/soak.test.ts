// Half an hour of event time, with a failure every five seconds of it: exact results, and nothing that grows.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { Workplace } from '../../e2e/checkpoints/interrupted.ts';
import { heavy } from '../support/heavy.ts';
import { expectedOf, FAILS_EVERY_MS, MS_PER_READING, slopeOf, soak } from './half-hour.ts';

const MINUTES = heavy ? 30 : 3;
/** The beginning is left out: caches and pools are being filled. */
const WARM_UP = 0.6;

describe('a job that fails every five seconds', () => {
  it(`given ${MINUTES} minutes of event time, when it goes on from its newest checkpoint each time, then results are exact, and memory, files and threads stay as they were`, async () => {
    using place = new Workplace();
    const { failures, checkpoints, given, mostReadAgain, held } = await soak(MINUTES, (name) => place.path(name), heavy ? 10 : 2);
    const { windows, running } = expectedOf(MINUTES);
    const lines = (name: string): string[] => readFileSync(place.path(name), 'utf8').split('\n').slice(0, -1).toSorted();
    expect(lines('windows.jsonl')).toEqual(windows);
    expect(lines('running.jsonl')).toEqual(running);
    expect(failures).toBe((MINUTES * 60_000) / FAILS_EVERY_MS);
    // It went on from checkpoints, and not from the beginning.
    const readings = (MINUTES * 60_000) / MS_PER_READING;
    expect(checkpoints).toBeGreaterThan(failures / 2);
    expect(given).toBeLessThan(4 * readings);
    const warm = held.slice(Math.floor(held.length * WARM_UP));
    const perLook = { heapBytes: slopeOf(warm.map(({ heapBytes }) => heapBytes)), residentBytes: slopeOf(warm.map(({ residentBytes }) => residentBytes)) };
    console.log(`${failures} failures, ${checkpoints} checkpoints, ${given} readings given for ${readings}, at most ${mostReadAgain} again; slope of the heap ${Math.round(perLook.heapBytes / 1024)} KiB a look, resident ${Math.round(perLook.residentBytes / 1024)} KiB`);
    const files = warm.map((one) => one.files);
    expect(Math.max(...files) - files[0]!).toBeLessThanOrEqual(4);
    const threads = warm.map((one) => one.threads);
    expect(threads.at(-1)! - threads[0]!).toBeLessThanOrEqual(2);
    if (heavy) expect(Math.max(perLook.heapBytes, perLook.residentBytes) * warm.length).toBeLessThan(24 * 2 ** 20);
  }, 600_000);
});
