import { describe, expect, it } from 'vitest';

import { neverFuse } from '../../ts/environment/unfused-environments.ts';
import { type DataStream, LocalEnvironment, MapFunction, count, sum, timestamped, tumbling } from '../../ts/index.ts';

/** The operators of each stage. */
const stagesOf = (env: LocalEnvironment): string[] => env.explain({ format: 'json' }).stages.map(({ name }) => name);

/** Runs a pipeline as it is planned, or with each operator in a stage of its own. */
async function run<R>(fuse: boolean, build: (env: LocalEnvironment) => DataStream<R>): Promise<{ readonly stages: string[]; readonly records: R[] }> {
  const env = new LocalEnvironment('stages');
  if (!fuse) neverFuse(env);
  const records: R[] = [];
  build(env).sink(records);
  const stages = stagesOf(env);
  await env.submit({ autostop: true });
  return { stages, records };
}

const numbers = Array.from({ length: 5_000 }, (_, n) => n);

class WithTime extends MapFunction<number, [number, number | undefined]> {
  execute(n: number): [number, number | undefined] {
    return [n, this.ctx.timestamp];
  }
}

describe('a plan whose operators are kept apart', () => {
  it('has an exchange around a rebalance of one instance, and gives what the fused plan gives', async () => {
    const build = (env: LocalEnvironment): DataStream<number> => env.fromCollection(numbers).map((n) => n * 2).rebalance().map((n) => n + 1);
    const fused = await run(true, build);
    const apart = await run(false, build);
    expect(fused.stages).toHaveLength(1);
    expect(apart.stages).toHaveLength(5);
    expect(apart.stages.some((name) => name === 'rebalance')).toBe(true);
    expect(apart.records).toEqual(numbers.map((n) => n * 2 + 1));
    expect(fused.records).toEqual(apart.records);
  });

  it('keeps keys, event time and windows', async () => {
    const build = (env: LocalEnvironment): DataStream<unknown> =>
      env
        .fromCollection(numbers)
        .assignTimestamps((n) => n, { outOfOrdernessMs: 0 })
        .filter((n) => n % 7 !== 0)
        .keyBy((n) => n % 3)
        .map((n) => n)
        .window(tumbling(1_000))
        .aggregate({ n: count(), total: sum((n: number) => n) });
    const fused = await run(true, build);
    const apart = await run(false, build);
    expect(apart.stages.length).toBeGreaterThan(fused.stages.length + 4);
    expect(apart.records).toEqual(fused.records);
    expect(fused.records).toHaveLength(15);
  });

  it('leaves side outputs and given timestamps with those that give them', async () => {
    const build = (env: LocalEnvironment): DataStream<unknown> => {
      const routed = env.fromSource(numbers.slice(0, 20).map((n) => timestamped(n, n * 10)), { timestamps: { outOfOrdernessMs: 0 } }).map(WithTime).route(([n]) => (n % 2 === 0 ? 'even' : 'odd'));
      return routed.to('odd').union(routed.to('even').map(([n]) => [n, -1] as [number, number]));
    };
    const fused = await run(true, build);
    const apart = await run(false, build);
    const inOrder = (records: readonly unknown[]): unknown[] => (records as [number, number][]).toSorted(([a], [b]) => a - b);
    expect(inOrder(apart.records)).toEqual(inOrder(fused.records));
    expect(inOrder(fused.records)).toEqual(numbers.slice(0, 20).map((n) => [n, n % 2 === 0 ? -1 : n * 10]));
    expect(apart.stages.length).toBeGreaterThan(fused.stages.length);
  });
});
