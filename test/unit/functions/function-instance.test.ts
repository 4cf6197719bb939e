import { expect, test } from 'vitest';
import { instantiateUserFunction } from '../../../ts/functions/function-instance.ts';
import type { FunctionContext } from '../../../ts/functions/function-context.ts';
import { FlatMapFunction } from '../../../ts/functions/flat-map-function.ts';
import { entryLogger } from '../../../ts/functions/logger.ts';
import { MapFunction } from '../../../ts/functions/map-function.ts';
import { TaskContext } from '../../../ts/functions/task-context.ts';
import { classFunction, instanceFunction, lambdaFunction } from '../../../ts/functions/user-function.ts';

const logger = entryLogger({ bindings: {}, isEnabled: () => true, write: () => {} });

function context(parallelIndex = 0, parallelism = 1): TaskContext {
  const signal = new AbortController().signal;
  return new TaskContext({ jobId: 'job', jobName: 'test', operator: 'op', parallelIndex, parallelism, config: { rate: 2 }, signal, logger });
}

class Counting extends MapFunction<number, string> {
  calls: string[] = [];
  seen = 0;
  override open(ctx: FunctionContext) {
    this.calls.push(`open ${ctx.parallelIndex}`);
  }
  execute(n: number) {
    this.seen += 1;
    return `${n} at ${this.ctx.parallelIndex} of ${this.ctx.parallelism}, ${this.seen}`;
  }
  override close() {
    this.calls.push('close');
  }
}

test('a lambda is called as it is', () => {
  const fn = (n: number) => n;
  expect(instantiateUserFunction(lambdaFunction(fn), context())).toMatchObject({ fn, object: undefined });
});

test('a class has one object for each parallel instance, with its own context and fields', () => {
  const made = [0, 1].map((index) => instantiateUserFunction(classFunction(Counting), context(index, 2)));
  const [first, second] = made.map((instance) => instance.object as Counting);
  expect(first).not.toBe(second);
  expect([first!.execute(5), second!.execute(6)]).toEqual(['5 at 0 of 2, 1', '6 at 1 of 2, 1']);
});

test('constructor arguments are passed on', () => {
  class Scale extends MapFunction<number, number> {
    readonly factor: number;
    constructor(factor: number) {
      super();
      this.factor = factor;
    }
    execute(n: number) {
      return n * this.factor;
    }
  }
  expect(instantiateUserFunction(classFunction(Scale, [4]), context()).object!.execute(2)).toBe(8);
});

test('open comes once before, close once behind, and never close without open', async () => {
  const instance = instantiateUserFunction(classFunction(Counting), context());
  const object = instance.object as Counting;
  await instance.close();
  await instance.open();
  await instance.close();
  await instance.close();
  expect(object.calls).toEqual(['open 0', 'close']);
});

test('an object given by the user is instance 0 itself; further instances begin as it was when the pipeline was built', () => {
  const given = new Counting();
  const fn = instanceFunction(given);
  const zero = instantiateUserFunction(fn, context(0, 2)).object as Counting;
  zero.execute(1);
  const one = instantiateUserFunction(fn, context(1, 2)).object as Counting;
  expect(zero).toBe(given);
  expect(one).not.toBe(given);
  expect(one).toBeInstanceOf(Counting);
  expect(one.execute(2)).toBe('2 at 1 of 2, 1');
  expect(given.ctx.parallelIndex).toBe(0);
});

test('an object with private members cannot be copied, and says so', () => {
  class Private extends MapFunction<number, number> {
    #n = 0;
    execute() {
      return (this.#n += 1);
    }
  }
  const fn = instanceFunction(new Private());
  expect(instantiateUserFunction(fn, context(0, 2)).object!.execute(0)).toBe(1);
  expect(() => instantiateUserFunction(fn, context(1, 2))).toThrow(expect.objectContaining({ code: 'SAGE_PLAN_FUNCTION' }));
});

test('errors in constructor, open and close name the step and keep the cause', async () => {
  const cause = new Error('no database');
  class BadConstructor extends MapFunction<number, number> {
    constructor() {
      super();
      throw cause;
    }
    execute(n: number) {
      return n;
    }
  }
  class BadOpen extends MapFunction<number, number> {
    override async open() {
      throw cause;
    }
    execute(n: number) {
      return n;
    }
  }
  const lifecycle = (step: string) =>
    expect.objectContaining({ code: 'SAGE_USER_LIFECYCLE', operator: 'op', cause, message: expect.stringContaining(step) });
  expect(() => instantiateUserFunction(classFunction(BadConstructor), context())).toThrow(lifecycle('constructor'));
  await expect(instantiateUserFunction(classFunction(BadOpen), context()).open()).rejects.toEqual(lifecycle('open'));
});

test('a field execute is found when there is an object, a missing one is an error then', () => {
  class Field {
    execute = (n: number) => n + 1;
  }
  class Missing {
    note = 'execute';
  }
  expect(instantiateUserFunction(classFunction(Field), context()).object!.execute(1)).toBe(2);
  expect(() => instantiateUserFunction(classFunction(Missing as never), context())).toThrow(
    expect.objectContaining({ code: 'SAGE_PLAN_FUNCTION' }),
  );
});

test('there is no context in a constructor, and the error says where there is one', () => {
  class Early extends MapFunction<number, number> {
    index = this.ctx.parallelIndex;
    execute(n: number) {
      return n;
    }
  }
  expect(() => instantiateUserFunction(classFunction(Early), context())).toThrow(
    expect.objectContaining({ code: 'SAGE_ENV_CONTEXT', help: expect.stringContaining('open()') }),
  );
});

test('a function knows its operator, config, metrics, and what is not built yet', () => {
  const ctx = context();
  const object = instantiateUserFunction(classFunction(Counting), ctx).object as Counting;
  expect(new Counting().name).toBe('Counting');
  expect(object.name).toBe('op');
  expect(object.ctx.config).toEqual({ rate: 2 });
  ctx.metrics.counter('bids').inc();
  ctx.metrics.counter('bids').inc(2);
  ctx.metrics.gauge('depth').set(7);
  for (const value of [3, -1, 5]) ctx.metrics.histogram('size').record(value);
  expect(ctx.metrics.snapshot()).toEqual({
    counters: { bids: 3 },
    gauges: { depth: 7 },
    histograms: { size: expect.objectContaining({ count: 3, sum: 7, min: -1, max: 5 }) },
  });
  expect(() => (ctx as unknown as Record<string, unknown>)['callService']).toThrow(
    expect.objectContaining({ code: 'SAGE_PLAN_UNSUPPORTED', message: expect.stringContaining('ctx.callService') }),
  );
  for (const member of ['state', 'timers'] as const) {
    expect(() => ctx[member]).toThrow(expect.objectContaining({ code: 'SAGE_ENV_CONTEXT', message: expect.stringContaining(`ctx.${member}`), help: expect.stringContaining('KeyedProcessFunction') }));
  }
});

test('a flat map collects only while it is connected', () => {
  class Twice extends FlatMapFunction<number, number> {
    execute(n: number) {
      this.collect(n);
      return [n * 10];
    }
  }
  const flatMap = new Twice();
  expect(() => flatMap.execute(1)).toThrow(expect.objectContaining({ code: 'SAGE_ENV_CONTEXT' }));
  const collected: unknown[] = [];
  FlatMapFunction.connect(flatMap, (record) => collected.push(record));
  expect(flatMap.execute(1)).toEqual([10]);
  expect(collected).toEqual([1]);
});
