import { expect, it } from 'vitest';

import { counting } from './pipelines/counting.ts';

it.each([1, 3])('what functions count in %i instances is in the result of the job, put together', async (parallelism) => {
  // given a class that counts its records, in the main isolate or in worker threads
  const records = 1000;

  // when its job has ended
  const result = await counting.run({ records }, { parallelism });

  // then counters are summed, gauges stand for each instance, and quantiles are those of all values
  const { metrics } = result.operators.find(({ name }) => name === 'counting')!;
  expect(metrics!.counters).toEqual({ seen: records });
  expect(metrics!.gauges).toEqual({ instance: Object.fromEntries(Array.from({ length: parallelism }, (_, n) => [n, n])) });
  const { size } = metrics!.histograms;
  expect(size).toMatchObject({ count: records, sum: (records * (records + 1)) / 2, min: 1, max: records });
  expect(Math.abs(size!.p50 - 500)).toBeLessThanOrEqual(5);
  expect(Math.abs(size!.p99 - 990)).toBeLessThanOrEqual(10);
  // and operators without metrics have none
  expect(result.operators.filter((operator) => operator.metrics !== undefined)).toHaveLength(1);
});
