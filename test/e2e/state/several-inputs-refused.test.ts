import { describe, expect, it } from 'vitest';

import { BroadcastProcessFunction, KeyedBroadcastProcessFunction, KeyedCoProcessFunction, KeyedProcessFunction, LocalEnvironment, type SageError } from '../../../ts/index.ts';

class Both extends KeyedCoProcessFunction<number, [number, number], string> {
  execute0(n: number): void {
    this.collect(`first ${n}`);
  }
  execute1(n: number): void {
    this.collect(`second ${n}`);
  }
}

class First extends KeyedCoProcessFunction<number, [number, number], string> {
  execute0(): void {}
}

class Three extends Both {
  execute2(): void {}
}

class OneStream extends KeyedProcessFunction<number, number, number> {
  execute(): void {}
}

const error = (run: () => unknown): SageError => {
  try {
    run();
  } catch (thrown) {
    return thrown as SageError;
  }
  throw new Error('nothing was thrown');
};

describe('process of connected streams is refused when the pipeline is built', () => {
  const env = new LocalEnvironment('refused');
  const plain = env.fromCollection([1]);
  const keyed = plain.keyBy((n) => n);

  it.each<[string, () => unknown, string, string]>([
    ['without a handler', () => keyed.connect(keyed).process(First as never), 'SAGE_PLAN_HANDLERS', 'process was given First, which has no execute1 for the stream number 1'],
    ['with a handler too many', () => keyed.connect(keyed).process(Three), 'SAGE_PLAN_HANDLERS', 'process was given Three, whose execute2 no stream belongs to'],
    ['with too few streams', () => keyed.connect(keyed, keyed).process(Both as never), 'SAGE_PLAN_HANDLERS', 'process was given Both, which has no execute2 for the stream number 2'],
    ['without a key', () => keyed.connect(plain).process(Both as never), 'SAGE_PLAN_NOT_KEYED', "the records of the stream number 1, 'source', have no key"],
    ['with a key that is not at one instance', () => keyed.connect(plain.keyBy((n) => n, { strategy: 'roundRobin' })).process(Both), 'SAGE_PLAN_KEY_STRATEGY', "whose strategy 'roundRobin' spreads the records of a key over instances"],
    ['with a function of one stream', () => keyed.connect(keyed).process(OneStream as never), 'SAGE_PLAN_FUNCTION', 'process of connected streams was given OneStream, which extends KeyedProcessFunction'],
    ['of several, for one stream', () => keyed.process(Both as never), 'SAGE_PLAN_FUNCTION', 'process was given Both, which extends KeyedCoProcessFunction'],
    ['with a broadcast and another stream', () => keyed.connect(plain.broadcast() as never, keyed), 'SAGE_PLAN_ARGUMENT', 'connect was given a broadcast() beside 1 other stream'],
    ['with the broadcast of another environment', () => keyed.connect(new LocalEnvironment('other').fromCollection([1]).broadcast()), 'SAGE_PLAN_FOREIGN_STREAM', "connect was given a stream of the environment 'other'"],
  ])('%s', (_, run, code, message) => {
    expect(error(run)).toMatchObject({ code, message: expect.stringContaining(message), declaredAt: { file: expect.stringContaining('several-inputs-refused') } });
  });

  it('for a keyed function with a broadcast side on a stream without a key', () => {
    class Keyed extends KeyedBroadcastProcessFunction<number, number, number, number> {
      execute(): void {}
      executeBroadcast(): void {}
    }
    expect(error(() => plain.connect(keyed.broadcast()).process(Keyed as never))).toMatchObject({ code: 'SAGE_PLAN_NOT_KEYED', message: expect.stringContaining('process was given the class Keyed, a KeyedBroadcastProcessFunction, on a stream without a key') });
  });
});

describe('the broadcast side', () => {
  /** Does one forbidden thing. */
  class Wrong extends KeyedBroadcastProcessFunction<number, number, number, number> {
    readonly #act: string;
    constructor(act: string) {
      super();
      this.#act = act;
    }
    execute(n: number): void {
      const { broadcast, timers } = this.ctx;
      if (this.#act === 'set') broadcast.value('n').set(n);
      if (this.#act === 'clear') broadcast.value('n').clear();
      if (this.#act === 'update') broadcast.value<number>('n').update(() => n);
      if (this.#act === 'add') broadcast.list('n').add(n);
      if (this.#act === 'put') broadcast.map('n').set(n, n);
      if (this.#act === 'delete') broadcast.map('n').delete(n);
      if (this.#act === 'reduce') broadcast.reducing<number>('n', (a, b) => a + b).add(n);
      timers.processingTime(0);
    }
    override onTimer(): void {
      if (this.#act === 'timer') this.ctx.broadcast.value('n').set(1);
    }
    executeBroadcast(): void {
      if (this.#act === 'state') this.ctx.state.value('n').set(1);
      if (this.#act === 'register') this.ctx.timers.processingTime(1);
    }
  }

  it.each(['set', 'clear', 'update', 'add', 'put', 'delete', 'reduce', 'timer'])('is read only for the other one (%s)', async (act) => {
    const env = new LocalEnvironment('wrong');
    env.fromCollection([1]).keyBy((n) => n).connect(env.fromCollection([1]).broadcast()).process(Wrong, act).sink([]);
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_ENV_CONTEXT', message: "'process' wrote to ctx.broadcast outside executeBroadcast()", operator: 'process' });
  });

  it.each(['state', 'register'])('has no key (%s)', async (act) => {
    const env = new LocalEnvironment('wrong');
    env.fromCollection([1]).keyBy((n) => n).connect(env.fromCollection([1]).broadcast()).process(Wrong, act).sink([]);
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_ENV_CONTEXT', message: "'process' used its state or timers with no key in hand" });
  });

  it.each(['execute', 'finish'])('is read only without a key too (%s)', async (where) => {
    class Plain extends BroadcastProcessFunction<number, number, number> {
      execute(n: number): void {
        if (where === 'execute') this.ctx.broadcast.value('n').set(n);
      }
      executeBroadcast(n: number): void {
        this.ctx.broadcast.value('n').set(n);
      }
      override finish(): void {
        if (where === 'finish') this.ctx.broadcast.value('n').clear();
      }
    }
    const env = new LocalEnvironment('wrong');
    env.fromCollection([1]).connect(env.fromCollection([1]).broadcast()).process(Plain).sink([]);
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_ENV_CONTEXT', message: "'process' wrote to ctx.broadcast outside executeBroadcast()" });
  });
});
