import { describe, expect, it } from 'vitest';

import { compile } from '../../../../ts/compiler/compile.ts';
import type { Stage } from '../../../../ts/compiler/physical-plan.ts';
import { type DataStream, LocalEnvironment } from '../../../../ts/index.ts';
import { StageTimes, type StreamTime } from '../../../../ts/runtime/stage/stage-times.ts';

/** The only stage of a pipeline, with what its last node is told. */
function timesOf(build: (env: LocalEnvironment) => DataStream<unknown>): { times: StageTimes; node: (name: string) => number; told: StreamTime[] } {
  const env = new LocalEnvironment('times');
  build(env).map((x) => x).named('last').sink([]);
  const { physical } = compile(env.pipeline, {}, { importable: false, cores: 1 });
  const [stage] = physical.stages as [Stage];
  expect(physical.stages).toHaveLength(1);
  const times = new StageTimes(stage);
  const node = (name: string): number => stage.nodes.find(({ operator }) => operator.name === name)!.id;
  const told: StreamTime[] = [];
  times.connect(node('last'), { timeChanged: (time) => told.push(time) });
  return { times, node, told };
}

const source = (env: LocalEnvironment, name: string): DataStream<number> => env.fromCollection([1]).assignTimestamps((n) => n, { outOfOrdernessMs: 0 }).named(name);

describe('event time in a stage', () => {
  it('is the least of what comes together, and never goes back', () => {
    const { times, node, told } = timesOf((env) => source(env, 'a').union(source(env, 'b'), source(env, 'c')));
    times.say(node('a'), 10);
    times.say(node('b'), 5);
    expect(told).toEqual([]);
    times.say(node('c'), 7);
    times.say(node('b'), 3);
    times.say(node('b'), 8);
    expect(told).toEqual([{ watermark: 5, isIdle: false }, { watermark: 7, isIdle: false }]);
    expect(times.leaving(node('last'))).toBe(7);
  });

  it('leaves out what is idle, until it is no longer', () => {
    const { times, node, told } = timesOf((env) => source(env, 'a').union(source(env, 'b')));
    times.say(node('a'), 10);
    times.sayIdle(node('b'));
    times.say(node('a'), 20);
    times.sayActive(node('b'));
    times.say(node('a'), 30);
    times.say(node('b'), 25);
    expect(told.map(({ watermark }) => watermark)).toEqual([10, 20, 25]);
  });

  it('stays where it is while all are idle, and says so', () => {
    const { times, node, told } = timesOf((env) => source(env, 'a').union(source(env, 'b')));
    times.say(node('a'), 10);
    times.say(node('b'), 5);
    times.sayIdle(node('b'));
    times.sayIdle(node('a'));
    times.sayActive(node('a'));
    expect(told).toEqual([{ watermark: 5, isIdle: false }, { watermark: 10, isIdle: false }, { watermark: 10, isIdle: true }, { watermark: 10, isIdle: false }]);
  });

  it('behind a second assigner or a batch is theirs', () => {
    const { times, node, told } = timesOf((env) => source(env, 'a').assignTimestamps((n) => n, { outOfOrdernessMs: 5 }).named('b').batch({ max: 2 }).named('c'));
    times.say(node('a'), 10);
    times.say(node('b'), 20);
    expect(told).toEqual([]);
    times.say(node('c'), 15);
    expect(told).toEqual([{ watermark: 15, isIdle: false }]);
    expect([times.at(node('b')), times.at(node('c'))]).toEqual([{ watermark: 10, isIdle: false }, { watermark: 20, isIdle: false }]);
  });

  it('does not pass an aggregate', () => {
    const { times, node, told } = timesOf((env) => source(env, 'a').reduce((a, b) => a + b, { emit: 'update' }));
    times.say(node('a'), 10);
    expect(told).toEqual([]);
    expect(times.leaving(node('last'))).toBeNaN();
  });
});
