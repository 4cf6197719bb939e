import { beforeEach, expect, it } from 'vitest';

import { given, severalInputs } from '../pipelines/several-inputs.ts';
import { numbers } from '../support/run-to-array.ts';

beforeEach(() => {
  for (const list of Object.values(given)) list.length = 0;
});

it.each([[1, 2], [2, 3], [3, 1]])('co-process functions and broadcast sides work over worker threads, from %i to %i instances', async (upstream, downstream) => {
  const result = await severalInputs.run({ records: 400, upstream, downstream });
  expect(result.isolates).toBeGreaterThanOrEqual(2);
  // then each key has one total, of both streams, and each instance all rules in their order
  const totals = new Map<string, number>();
  for (const n of numbers(400)) totals.set(`k${n % 11}`, (totals.get(`k${n % 11}`) ?? 0) + (n < 200 ? 0 : n));
  expect(Object.fromEntries(given.totals.map(({ key, total }) => [key, total]))).toEqual(Object.fromEntries(totals));
  expect(given.totals.length).toBe(11);
  expect(new Set(given.totals.map(({ instance }) => instance)).size).toBeLessThanOrEqual(downstream);
  expect(given.rules.toSorted((a, b) => a.instance - b.instance)).toEqual(numbers(downstream).map((instance) => ({ instance, rules: [3, 1, 2] })));
});
