// How operators with several inputs are planned.
import { describe, expect, it } from 'vitest';

import { compile } from '../../../ts/compiler/compile.ts';
import { explain } from '../../../ts/compiler/explain/explain.ts';
import { describePlan } from '../../../ts/compiler/explain/describe-plan.ts';
import { type Stage } from '../../../ts/compiler/physical-plan.ts';
import { BaseCoMapFunction, BaseJoinFunction, LocalEnvironment, isSageError } from '../../../ts/index.ts';

class Both extends BaseCoMapFunction {
  map0(n: number): number {
    return n;
  }
  map1(n: number): number {
    return n;
  }
}

class All extends BaseJoinFunction<number, number> {
  execute(n: number): void {
    this.collect(n);
  }
}

const options = { importable: true, cores: 4 };
const nodes = (stage: Stage): unknown[] => stage.nodes.map(({ op, operator, children }) => [op.kind, operator.name, 'coInput' in op ? op.coInput : undefined, children]);

describe('a comap', () => {
  it('of two collections is one stage, with a node for each input that call the same object', () => {
    const env = new LocalEnvironment();
    env.fromCollection([1]).connect(env.fromCollection([2])).comap(Both).sink([]);
    const { physical } = compile(env.pipeline, {}, options);
    expect(physical.stages).toHaveLength(1);
    expect(nodes(physical.stages[0]!)).toEqual([
      ['source', 'source', undefined, [2]],
      ['source', 'source-2', undefined, [3]],
      ['map', 'comap', { input: 0, owner: 2 }, [4]],
      ['map', 'comap', { input: 1, owner: 2 }, [4]],
      ['sink', 'sink', undefined, []],
    ]);
  });

  it('of the same stream twice takes each record of an exchange at both inputs', () => {
    const env = new LocalEnvironment();
    const stream = env.fromCollection([1]);
    stream.connect(stream).comap(Both).parallelism(2).sink([]);
    const { physical } = compile(env.pipeline, {}, options);
    const stage = physical.stages.find(({ name }) => name === 'comap')!;
    expect(nodes(stage).slice(0, 3)).toEqual([
      ['input', 'comap', undefined, [1, 2]],
      ['map', 'comap', { input: 0, owner: 1 }, [3]],
      ['map', 'comap', { input: 1, owner: 1 }, [3]],
    ]);
  });

  it('stays at its number of instances, as its inputs share what it holds', () => {
    const env = new LocalEnvironment();
    env.fromCollection([1]).connect(env.fromCollection([2])).comap(Both).parallelism('auto').sink([]);
    expect(compile(env.pipeline, {}, options).physical.stages.every(({ placement }) => placement !== 'elastic')).toBe(true);
  });

  it('is one operator of the plan', () => {
    const env = new LocalEnvironment();
    env.fromCollection([1]).connect(env.fromCollection([2])).comap(Both).sink([]);
    const compiled = compile(env.pipeline, {}, options);
    expect(explain(compiled)).toMatch(/comap 'comap' \(input 1\)/);
    expect(describePlan(compiled, 'plan').stages[0]!.operators.map(({ operator, inputs }) => [operator, inputs])).toEqual([[0, []], [1, []], [2, [0, 1]], [3, [2]]]);
  });
});

describe('a join', () => {
  it('has each input sent by its own key, to as many instances as the first keyBy says', () => {
    const env = new LocalEnvironment();
    env.fromCollection([1]).keyBy((n) => n).parallelism(3).connect(env.fromCollection([2]).keyBy((n) => -n).parallelism(2)).join(All).sink([]);
    const { physical } = compile(env.pipeline, {}, options);
    const stage = physical.stages.find(({ name }) => name === 'join')!;
    expect(stage.parallelism).toBe(3);
    expect(stage.gates.map((id) => physical.exchanges[id]!)).toMatchObject([{ partition: 'hash', keyed: true }, { partition: 'hash', keyed: true }]);
    expect(nodes(stage).slice(2, 4)).toEqual([
      ['process', 'join', { input: 0, owner: 2 }, [4]],
      ['process', 'join', { input: 1, owner: 2 }, [4]],
    ]);
  });

  it('by interval without event time on both sides is an error with the line of the user, which names assignTimestamps', () => {
    const env = new LocalEnvironment();
    const timed = env.fromCollection([1]).assignTimestamps((n) => n, { outOfOrdernessMs: 0 }).keyBy((n) => n);
    timed.intervalJoin(env.fromCollection([2]).keyBy((n) => n).named('without time'), { after: 1 }, (a, b) => a + b).sink([]);
    let found: unknown;
    try {
      compile(env.pipeline, {}, options);
    } catch (error) {
      found = error;
    }
    expect(isSageError(found) && found.code).toBe('SAGE_PLAN_EVENT_TIME');
    expect(String(found)).toMatch(/without time[^]*assignTimestamps[^]*several-inputs\.test\.ts/);
  });

  it('of pairs is refused for what it cannot be', () => {
    const env = new LocalEnvironment();
    const keyed = env.fromCollection([1]).keyBy((n) => n);
    const fn = (a: number, b: number): number => a + b;
    for (const [options_, message] of [
      [{ window: { timeWindow: 1 }, type: 'outer' }, /type of join/],
      [{ within: 'soon' }, /within of join/],
      [{ within: { before: -1 } }, /before of join/],
      [{ within: '1s', lateness: 1 }, /lateness/],
      [{ window: 5 }, /window was given/],
    ] as const) expect(() => keyed.join(keyed, options_ as never, fn as never)).toThrow(message);
    expect(() => keyed.join(keyed, { within: '1s' }, undefined as never)).toThrow(/function of the left and the right/);
    expect(() => keyed.connect(keyed, keyed).join({ within: '1s' }, fn)).toThrow(/two streams/);
  });
});
