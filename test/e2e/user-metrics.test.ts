import { expect, it } from 'vitest';

import { type FunctionMetrics, LocalEnvironment, MapFunction } from '../../ts/index.ts';
import { counting } from './pipelines/counting.ts';

/** Runs `measure` at each of two records; the counts of its operator, or the job's error. */
async function measured(measure: (metrics: FunctionMetrics) => void) {
  class Measures extends MapFunction<number, number> {
    execute(n: number) {
      measure(this.ctx.metrics);
      return n;
    }
  }
  const env = new LocalEnvironment();
  env.fromCollection([1, 2]).map(Measures).named('measures').sink([]);
  const { operators } = await env.submit({ autostop: true });
  return operators.find(({ name }) => name === 'measures')!.metrics!;
}

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

it.each(['constructor', '__proto__', 'toString', '', 'with spaces'])('given the name "%s", then it names a metric like any other, and nothing else is touched', async (name) => {
  const before = Reflect.ownKeys(Object);
  const metrics = await measured((own) => {
    own.counter(name).inc(3);
    own.gauge(name).set(5);
    own.histogram(name).record(7);
  });
  expect(Object.entries(metrics.counters)).toEqual([[name, 6]]);
  expect(Object.entries(metrics.gauges)).toEqual([[name, { 0: 5 }]]);
  expect(Object.entries(metrics.histograms)).toMatchObject([[name, { count: 2, sum: 14, min: 7, max: 7 }]]);
  expect(Reflect.ownKeys(Object)).toEqual(before);
});

it.each<[string, (metrics: FunctionMetrics) => void]>([
  ["the counter 'c' was increased by the number NaN", (metrics) => metrics.counter('c').inc(Number.NaN)],
  ["the counter 'c' was increased by the number -1", (metrics) => metrics.counter('c').inc(-1)],
  ["the counter 'c' was increased by the string \"3\"", (metrics) => metrics.counter('c').inc('3' as never)],
  ["the counter 'c' was increased by null", (metrics) => metrics.counter('c').inc(null as never)],
  ["the counter 'c' was increased by the bigint 1", (metrics) => metrics.counter('c').inc(1n as never)],
  ["the gauge 'g' was set to the string \"3\"", (metrics) => metrics.gauge('g').set('3' as never)],
  ["the histogram 'h' was given the number NaN", (metrics) => metrics.histogram('h').record(Number.NaN)],
  ["the histogram 'h' was given undefined", (metrics) => metrics.histogram('h').record(undefined as never)],
])('given no number to measure, then %s', async (message, measure) => {
  await expect(measured(measure)).rejects.toMatchObject({ code: 'SAGE_USER_WRONG_TYPE', operator: 'measures', record: 1, message: expect.stringContaining(message) });
});
