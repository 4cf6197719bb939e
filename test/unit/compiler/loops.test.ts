import { describe, expect, it } from 'vitest';

import { BaseJoinFunction, BroadcastProcessFunction, type DataStream, LocalEnvironment, type PlanDescription, ProcessFunction, type SageError, countWindow, isSageError, tumbling } from '../../../ts/index.ts';

type Build = (env: LocalEnvironment) => unknown;

function planOf(build: Build, parallelism = 1): PlanDescription {
  const env = new LocalEnvironment('loop', { parallelism });
  build(env);
  return env.explain({ format: 'json' });
}

function errorOf(build: Build): SageError {
  const env = new LocalEnvironment('loop');
  try {
    build(env);
    env.explain();
  } catch (error) {
    if (isSageError(error)) return error;
    throw error;
  }
  throw new Error('the pipeline compiled');
}

/** A loop with something in the middle. */
function loopWith(inside: (stream: DataStream<number>) => DataStream<number>): Build {
  return (env) => {
    const again = env.fromFuture<number>('again');
    const next = inside(env.fromCollection([1]).union(again));
    next.fillFuture(again);
    next.sink([]);
  };
}

describe('the plan of a loop', () => {
  it('is one stage with a way back to itself, and a source before it', () => {
    const plan = planOf(loopWith((stream) => stream.map((n) => n + 1)));
    expect(plan.stages.map(({ name }) => name)).toEqual(['source', 'again -> union -> map -> fillFuture -> sink']);
    expect(plan.exchanges.map(({ from, to, feedback, partition }) => [from.stage, to.stage, feedback, partition])).toEqual([
      [0, 1, null, 'forward'],
      [1, 1, 'again', 'forward'],
    ]);
  });

  it('goes back from the stage of a keyed operator to that of the head, each to the instance with its number', () => {
    const plan = planOf(loopWith((stream) => stream.keyBy((n) => n).reduce((a) => a, { emit: 'update' })), 3);
    const back = plan.exchanges.find(({ feedback }) => feedback !== null);
    expect(back).toMatchObject({ partition: 'forward', keyed: false, reason: "back to 'again'" });
    expect(plan.stages[back!.from.stage]!.parallelism).toBe(3);
    expect(back!.from.stage).toBeGreaterThan(back!.to.stage);
  });

  it('spreads records where the ends have different numbers of instances', () => {
    const plan = planOf((env) => {
      const again = env.fromFuture<number>('again').parallelism(3);
      const next = env.fromCollection([1]).union(again).parallelism(3).rebalance().parallelism(2).map((n) => n).parallelism(2);
      next.fillFuture(again);
      next.sink([]);
    });
    expect(plan.exchanges.find(({ feedback }) => feedback !== null)).toMatchObject({ partition: 'rebalance' });
  });

  it('keeps what takes other records behind a loop out of its stage', () => {
    const plan = planOf((env) => {
      const again = env.fromFuture<number>('again');
      const next = env.fromCollection([1]).union(again).map((n) => n + 1);
      next.filter((n) => n < 3).fillFuture(again);
      next.union(env.fromSource(() => 1, { unbounded: true })).named('behind').sink([]);
    });
    const behind = plan.stages.find(({ name }) => name.includes('behind'))!;
    expect(behind.name).not.toContain('again');
  });

  it('has no elastic stage in it', () => {
    const env = new LocalEnvironment('loop', { parallelism: 'auto' });
    loopWith((stream) => stream.rebalance().map((n) => n).parallelism('auto'))(env);
    expect(env.explain({ format: 'json' }).stages.map(({ placement }) => placement)).not.toContain('elastic');
  });

  it('is left out with a warning when nothing of it reaches a sink', () => {
    const plan = planOf((env) => {
      const again = env.fromFuture<number>('again');
      env.fromCollection([1]).union(again).map((n) => n).fillFuture(again);
      env.fromCollection([2]).sink([]);
    });
    expect(plan.operators.map(({ kind }) => kind)).toEqual(['source', 'sink']);
    expect(plan.warnings.join('\n')).toContain('fillFuture');
  });

  it('is called so in texts, and dotted in pictures', () => {
    const env = new LocalEnvironment('loop');
    loopWith((stream) => stream.map((n) => n + 1))(env);
    expect(env.explain('physical')).toContain("exchange 1 to stage 1: feedback, forward (back to 'again')");
    expect(env.explain('all')).toContain('feedback, 67108864 bytes in memory and 8589934592 on disk');
    expect(env.explain({ format: 'mermaid' })).toContain('-.->|"feedback, forward"|');
    expect(env.explain({ format: 'svg' })).toContain('class="exchange feedback"');
  });
});

describe('what is wrong with a loop', () => {
  it('a future that nobody fills is an error with its line', () => {
    const error = errorOf((env) => env.fromCollection([1]).union(env.fromFuture<number>('again')).sink([]));
    expect(error.code).toBe('SAGE_PLAN_FUTURE');
    expect(error.message).toContain("'again' was never filled");
    expect(error.declaredAt?.file).toContain('loops.test.ts');
  });

  it('a second fill names the first one, and the future', () => {
    const error = errorOf((env) => {
      const again = env.fromFuture<number>('again');
      const next = env.fromCollection([1]).union(again);
      next.fillFuture(again);
      next.fillFuture(again);
    });
    expect(error.code).toBe('SAGE_PLAN_FUTURE');
    expect(error.message).toContain('the first fillFuture');
    expect(error.message).toContain("the future 'again'");
  });

  it('a stream that does not come from the future fills nothing', () => {
    const error = errorOf((env) => {
      const again = env.fromFuture<number>('again');
      env.fromCollection([1]).fillFuture(again);
      again.sink([]);
    });
    expect(error).toMatchObject({ code: 'SAGE_PLAN_LOOP' });
    expect(error.message).toContain('there is no loop');
  });

  it('a loop that nothing gets into is an error', () => {
    const error = errorOf((env) => {
      const again = env.fromFuture<number>('again');
      const next = again.map((n) => n + 1);
      next.fillFuture(again);
      next.sink([]);
    });
    expect(error.message).toContain('no record can get into');
  });

  it('a future of another environment, or none, is refused', () => {
    const other = new LocalEnvironment('other').fromFuture<number>('theirs');
    expect(errorOf((env) => env.fromCollection([1]).fillFuture(other)).code).toBe('SAGE_PLAN_FOREIGN_STREAM');
    expect(errorOf((env) => env.fromCollection([1]).fillFuture(env.fromCollection([1]) as never)).code).toBe('SAGE_PLAN_ARGUMENT');
    expect(errorOf((env) => env.fromFuture('again', { memoryBytes: -1 })).code).toBe('SAGE_PLAN_ARGUMENT');
    expect(errorOf((env) => env.fromFuture('again', { memory: 1 } as never)).code).toBe('SAGE_PLAN_ARGUMENT');
  });

  class AtTheEnd extends ProcessFunction<number, number> {
    execute(): void {}
    override finish(): void {
      this.collect(1);
    }
  }
  class NothingAtTheEnd extends BaseJoinFunction<number, number, number> {
    execute(n: number): void {
      this.collect(n);
    }
  }
  class JoinAtTheEnd extends NothingAtTheEnd {
    override finish(): void {
      this.collect(1);
    }
  }
  class BroadcastAtTheEnd extends BroadcastProcessFunction<number, number, number> {
    execute(n: number): void {
      this.collect(n);
    }
    executeBroadcast(): void {}
    override finish(): void {
      this.collect(1);
    }
  }
  const stamped = (stream: DataStream<number>): DataStream<number> => stream.assignTimestamps((n) => n, { outOfOrdernessMs: 0 });

  it.each<readonly [string, (stream: DataStream<number>) => DataStream<number>]>([
    ['a final reduce', (stream) => stream.reduce((a, b) => a + b)],
    ['a final aggregate of each key', (stream) => stream.keyBy((n) => n).aggregate({ n: { init: () => 0, add: (a: number) => a, result: (a: number) => a } as never }).map(() => 1)],
    ['a window of event time', (stream) => stamped(stream).keyBy((n) => n).window(tumbling('1s')).reduce((a) => a)],
    ['a window of counts', (stream) => stream.keyBy((n) => n).window(countWindow(3)).reduce((a) => a)],
    ['a join by time', (stream) => stamped(stream).keyBy((n) => n).intervalJoin(stamped(stream).keyBy((n) => n), { after: '1s' }, (a) => a)],
    ['a process function with finish', (stream) => stream.process(AtTheEnd)],
    ['a join of its own with finish', (stream) => stream.keyBy((n) => n).connect(stream.keyBy((n) => n)).join(JoinAtTheEnd)],
    ['a function with a broadcast side and finish', (stream) => stream.connect(stream.broadcast()).process(BroadcastAtTheEnd)],
    ['a table join by event time', (stream) => stamped(stream).keyBy((n) => n).join(stamped(stream).keyBy((n) => n).asTable(), (a) => a)],
  ])('%s is refused in a loop, with a way out', (_, inside) => {
    const error = errorOf(loopWith(inside));
    expect(error.code).toBe('SAGE_PLAN_LOOP');
    expect(error.message).toContain("is in the loop of 'again'");
    expect(error.message).toContain('move it behind the loop');
  });

  it.each<readonly [string, (stream: DataStream<number>) => DataStream<number>]>([
    ['a join of its own that gives nothing at the end', (stream) => stream.keyBy((n) => n).connect(stream.keyBy((n) => n)).join(NothingAtTheEnd)],
    ['a join with a table by the clock', (stream) => stream.keyBy((n) => n).join(stream.keyBy((n) => n).asTable(), (a) => a)],
    ['one that says so, on records with event time', (stream) => stamped(stream).keyBy((n) => n).join(stamped(stream).keyBy((n) => n).asTable(), { time: 'processing' }, (a) => a)],
  ])('%s is allowed in a loop', (_, inside) => {
    expect(() => planOf(loopWith(inside))).not.toThrow();
  });

  it('the same are allowed behind it', () => {
    const plan = planOf((env) => {
      const again = env.fromFuture<number>('again');
      const next = stamped(env.fromCollection([1])).union(again).map((n) => n + 1);
      next.filter((n) => n < 3).fillFuture(again);
      next.keyBy((n) => n).window(tumbling('1s')).reduce((a) => a).sink([]);
      next.process(AtTheEnd).sink([]);
      next.reduce((a) => a).sink([]);
    });
    expect(plan.warnings).toEqual([]);
  });

  it('a final aggregate behind a loop that an endless source feeds would never emit', () => {
    const error = errorOf((env) => {
      const again = env.fromFuture<number>('again');
      const next = env.fromSource(() => 1, { unbounded: true }).union(again);
      next.fillFuture(again);
      again.reduce((a) => a).sink([]);
    });
    expect(error.code).toBe('SAGE_PLAN_UNBOUNDED');
  });
});
