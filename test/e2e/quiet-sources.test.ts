import { afterEach, describe, expect, it } from 'vitest';

import { JobManager, LocalEnvironment } from '../../ts/index.ts';
import { PushSource } from './support/push-source.ts';

afterEach(() => JobManager.instance().cleanupAllJobs());

describe('given a source that falls silent', () => {
  it('then all it has given arrives meanwhile, over exchanges too, however fast its records came one after the other', async () => {
    const source = new PushSource<number>();
    const env = new LocalEnvironment('silent');
    const arrived: number[] = [];
    env.fromSource(source).keyBy((n) => n % 2).parallelism(2).map((n) => n).sink(arrived);
    await env.submit();
    let sent = 0;
    for (let burst = 1; burst <= 20; burst++) {
      for (let n = 0; n < burst; n++) await source.push(sent++);
      await expect.poll(() => arrived.length, { interval: 1, timeout: 5_000 }).toBe(sent);
    }
  });

  it('then the counts of the job are those of all that has happened', async () => {
    const source = new PushSource<number>();
    const env = new LocalEnvironment('silent');
    env.fromSource(source).filter((n) => n !== 2).sink([]);
    const job = await env.submit();
    for (const n of [1, 2, 3]) await source.push(n);
    await expect
      .poll(() => job.metrics().operators.map(({ recordsIn, recordsFiltered }) => [recordsIn, recordsFiltered]), { interval: 5, timeout: 5_000 })
      .toEqual([[3, 0], [3, 1], [2, 0]]);
  });
});
