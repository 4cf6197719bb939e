// How operators with several inputs are planned.
import { describe, expect, it } from 'vitest';

import { compile } from '../../../ts/compiler/compile.ts';
import { explain } from '../../../ts/compiler/explain/explain.ts';
import { describePlan } from '../../../ts/compiler/explain/describe-plan.ts';
import { type Stage } from '../../../ts/compiler/physical-plan.ts';
import { BaseCoMapFunction, BaseJoinFunction, type DataStream, LocalEnvironment, count, countWindow, globalWindow, isSageError, session, sliding, tumbling } from '../../../ts/index.ts';

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

/** The text of the error that a pipeline is refused with. */
function planErrorOf(env: LocalEnvironment): string {
  try {
    compile(env.pipeline, {}, options);
  } catch (error) {
    if (isSageError(error)) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'no error';
}

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

  it('with a table of event time on one side only is refused, and names processing time as the other way out', () => {
    const env = new LocalEnvironment();
    const timed = env.fromCollection([1]).assignTimestamps((n) => n, { outOfOrdernessMs: 0 }).keyBy((n) => n);
    const untimed = env.fromCollection([2]).keyBy((n) => n).named('without time');
    timed.join(untimed.asTable(), (a, b) => a + b).sink([]);
    expect(planErrorOf(env)).toMatch(/table-join[^]*'without time' has none[^]*assignTimestamps[^]*time: 'processing'[^]*several-inputs\.test\.ts/);
  });

  it.each([[undefined, 'event'], ['processing', 'processing']] as const)('with a table goes by event time where both sides have it, unless told otherwise: %s', (time, expected) => {
    const env = new LocalEnvironment();
    const timed = env.fromCollection([1]).assignTimestamps((n) => n, { outOfOrdernessMs: 0 }).keyBy((n) => n);
    timed.join(timed.asTable(), time === undefined ? {} : { time }, (a, b) => a + b).sink([]);
    const ops = compile(env.pipeline, {}, options).physical.stages.flatMap(({ nodes: all }) => all.map(({ op }) => op));
    expect(ops.find(({ kind }) => kind === 'asOfJoin')).toMatchObject({ time: expected });
  });

  it('with a table by event time is refused where no side has any', () => {
    const env = new LocalEnvironment();
    const untimed = env.fromCollection([2]).keyBy((n) => n);
    untimed.join(untimed.asTable(), { time: 'event' }, (a, b) => a + b).sink([]);
    expect(planErrorOf(env)).toMatch(/SAGE_PLAN_EVENT_TIME[^]*compares event times/);
  });

  it('with a table is refused for what it cannot be', () => {
    const env = new LocalEnvironment();
    const keyed = env.fromCollection([1]).keyBy((n) => n);
    const fn = (a: number): number => a;
    for (const [make, message] of [
      [() => keyed.asTable({ ttlMs: 0 }), /ttlMs of asTable/],
      [() => keyed.asTable({ deleted: 1 as never }), /deleted of asTable/],
      [() => keyed.asTable({ within: '1s' } as never), /asTable has no option 'within'/],
      [() => keyed.join(keyed.asTable(), { type: 'full' as never }, fn), /type of join/],
      [() => keyed.join(keyed.asTable(), { time: 'now' as never }, fn), /time of join/],
      [() => keyed.join(keyed.asTable(), {}, undefined as never), /function of the left and the right/],
      [() => keyed.join(new LocalEnvironment('other').fromCollection([1]).keyBy((n) => n).asTable(), fn), /environment 'other'/],
    ] as const) expect(make).toThrow(message);
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

describe('windows behind streams of which only some have event time', () => {
  const timed = (env: LocalEnvironment): DataStream<number> => env.fromCollection([1]).assignTimestamps((n) => n, { outOfOrdernessMs: 0 });
  const untimed = (env: LocalEnvironment): DataStream<number> => env.fromCollection([2]).map((n) => n).named('without time');

  it.each([
    ['a union', (env: LocalEnvironment) => timed(env).union(untimed(env)).window(tumbling('1s')).aggregate({ n: count() })],
    ['a union further up', (env: LocalEnvironment) => untimed(env).union(timed(env)).map((n) => n).keyBy((n) => n).window(session('1s')).aggregate({ n: count() })],
    ['a comap', (env: LocalEnvironment) => timed(env).connect(untimed(env)).comap([(n) => n, (n) => n]).window(sliding('2s', '1s')).aggregate({ n: count() })],
    ['a window join', (env: LocalEnvironment) => timed(env).connect(untimed(env)).keyBy((n) => n).join({ window: tumbling('1s') }, (a, b) => a + b)],
  ])('are refused, with the lines of both: %s', (_, build) => {
    const env = new LocalEnvironment();
    (build(env) as DataStream<unknown>).sink([]);
    const text = planErrorOf(env);
    expect(text).toMatch(/SAGE_PLAN_EVENT_TIME[^]*would go by the clock[^]*assignTimestamps/);
    expect(text.match(/several-inputs\.test\.ts:\d+/g)!.length).toBeGreaterThanOrEqual(3);
  });

  it('that ask for no time go on, and so do windows whose streams agree', () => {
    for (const build of [
      (env: LocalEnvironment) => timed(env).union(untimed(env)).window(countWindow(2)).aggregate({ n: count() }),
      (env: LocalEnvironment) => timed(env).union(untimed(env)).window(globalWindow()).aggregate({ n: count() }),
      (env: LocalEnvironment) => untimed(env).union(untimed(env)).window(tumbling('1s')).aggregate({ n: count() }),
      (env: LocalEnvironment) => timed(env).union(timed(env)).window(tumbling('1s')).aggregate({ n: count() }),
      // What counts records over all time has given up event time itself.
      (env: LocalEnvironment) => timed(env).union(untimed(env)).aggregate({ n: count() }, { emit: 'update' }).window(tumbling('1s')).aggregate({ n: count() }),
    ]) {
      const env = new LocalEnvironment();
      build(env).sink([]);
      expect(() => compile(env.pipeline, {}, options)).not.toThrow();
    }
  });
});
