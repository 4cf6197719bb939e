import { expect, test } from 'vitest';

import { JobSampler } from '../../../ts/cli/progress/job-sampler.ts';
import { env, ScriptedJob } from './support/scripted-job.ts';

function sampled(): { job: ScriptedJob; sampler: JobSampler } {
  const job = new ScriptedJob();
  return { job, sampler: new JobSampler(job.started, env, 0) };
}

test('the first rate is what was read so far; later ones follow a change within seconds', () => {
  const { job, sampler } = sampled();
  job.read = 1_000;
  expect(sampler.sample(1_000)).toMatchObject({ recordsIn: 1_000, recordsPerSecond: 1_000, elapsedMs: 1_000 });
  // When ten times as much comes, every quarter of a second
  const rates: number[] = [];
  for (let n = 1; n <= 20; n++) {
    job.read += 2_500;
    rates.push(sampler.sample(1_000 + n * 250).recordsPerSecond);
  }
  // Then the rate goes there without jumps: to 1 - 1/e of the way after the time constant of one second
  expect(rates).toEqual(rates.toSorted((a, b) => a - b));
  expect(rates[3]).toBeCloseTo(1_000 + 9_000 * (1 - Math.exp(-1)), 6);
  expect(rates.at(-1)).toBeGreaterThan(9_900);
  expect(rates.at(-1)).toBeLessThanOrEqual(10_000);
});

test('a line for each operator; queue and mark stand at the first of a stage', () => {
  const { job, sampler } = sampled();
  job.read = 70;
  job.written = 30;
  job.queueFill = 0.5;
  job.pass([10, 0, 90], [100, 0, 0]);
  const { operators, recordsOut } = sampler.sample(1_000);
  expect(recordsOut).toBe(30);
  expect(operators.map(({ name, instances, recordsIn, queueFill, mark }) => [name, instances, recordsIn, queueFill, mark])).toEqual([
    ['source', 2, 70, undefined, 'backpressure'],
    ['parse', 2, 70, undefined, undefined],
    ['sink', 2, 30, 0.5, undefined],
  ]);
});

test('marks are about the time since the last look, not since the start', () => {
  const { job, sampler } = sampled();
  const marks = (): unknown[] => sampler.sample(performance.now()).operators.map(({ mark }) => mark);
  job.pass([0, 0, 1000], [0, 1000, 0]);
  expect(marks()).toEqual(['backpressure', undefined, 'idle']);
  job.pass([90, 5, 5], [90, 10, 0]);
  expect(marks()).toEqual([undefined, undefined, undefined]);
  job.pass([89, 0, 11], [4, 96, 0]);
  expect(marks()).toEqual(['backpressure', undefined, 'idle']);
  // Nothing has happened at all: that is no mark
  expect(marks()).toEqual([undefined, undefined, undefined]);
  job.finished = true;
  job.pass([0, 100, 0], [0, 100, 0]);
  expect(marks()).toEqual(['done', undefined, 'done']);
});
