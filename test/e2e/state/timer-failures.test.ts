import { describe, expect, it } from 'vitest';

import { type DataStream, type DeadLetter, KeyedProcessFunction, LocalEnvironment, type ListState } from '../../../ts/index.ts';

describe('a timer that fails', () => {
  /** Registers a timer for each record; that of the key 'b' fails, so often. */
  class Failing extends KeyedProcessFunction<string, { key: string }, string> {
    #left: number;
    #fired!: ListState<number>;
    constructor(failures: number) {
      super();
      this.#left = failures;
    }
    override open(): void {
      this.#fired = this.ctx.state.list('fired');
    }
    execute(): void {
      this.ctx.timers.eventTime(5);
    }
    override async onTimer(time: number): Promise<void> {
      // What a failed attempt has written, collected and registered must not stay.
      this.#fired.add(time);
      this.collect(`${this.ctx.key} ${[...this.#fired].join(',')}`);
      if (this.ctx.key !== 'b') return;
      this.ctx.timers.eventTime(6);
      await Promise.resolve();
      if (this.#left-- > 0) throw new Error('in the timer');
      this.ctx.timers.cancelEventTime(6);
    }
  }
  const timers = (env: LocalEnvironment, failures: number): DataStream<string> =>
    env
      .fromCollection([{ key: 'a', at: 0 }, { key: 'b', at: 0 }, { key: 'c', at: 0 }])
      .assignTimestamps('at', { outOfOrdernessMs: 0 })
      .keyBy('key')
      .process(Failing, failures)
      .named('timers');

  it('fails the job, when nothing is said', async () => {
    const env = new LocalEnvironment('failing');
    timers(env, 1).sink([]);
    await expect(env.submit({ autostop: true })).rejects.toMatchObject({ code: 'SAGE_USER_REJECTED', message: "operator 'timers' failed: Error: in the timer", operator: 'timers', declaredAt: { line: expect.any(Number) } });
  });

  it('is left out', async () => {
    const env = new LocalEnvironment('failing');
    const out: string[] = [];
    timers(env, 9).onError('skip').sink(out);
    const result = await env.submit({ autostop: true });
    // then the others have fired
    expect(out).toEqual(['a 5', 'c 5']);
    const counts = result.operators.find(({ name }) => name === 'timers')!;
    expect([counts.recordsIn, counts.recordsOut, counts.recordsSkipped, counts.deadLetters, counts.metrics?.counters['timers failed']]).toEqual([3, 2, 1, 0, 1]);
    expect(counts.metrics?.gauges['timers held']).toEqual({ 0: 0 });
  });

  it('is tried again', async () => {
    const env = new LocalEnvironment('failing');
    const out: string[] = [];
    // oxlint-disable-next-line unicorn/no-thenable -- the name of the setting; a word is no function
    timers(env, 2).onError({ retry: 2, backoffMs: 0, then: 'fail' }).sink(out);
    const result = await env.submit({ autostop: true });
    expect(out).toEqual(['a 5', 'b 5', 'c 5']);
    const counts = result.operators.find(({ name }) => name === 'timers')!;
    expect([counts.recordsSkipped, counts.metrics?.counters['timers failed']]).toEqual([0, undefined]);
  });

  it('makes a dead letter with its key and time', async () => {
    const env = new LocalEnvironment('failing');
    const out: string[] = [];
    const letters: DeadLetter<unknown>[] = [];
    // oxlint-disable-next-line unicorn/no-thenable -- the name of the setting; a word is no function
    const stream = timers(env, 9).onError({ retry: 1, backoffMs: 0, then: 'deadLetter' });
    stream.sink(out);
    stream.deadLetters().sink(letters);
    const result = await env.submit({ autostop: true });
    expect(out).toEqual(['a 5', 'c 5']);
    expect(letters).toMatchObject([{ record: undefined, key: 'b', timer: { kind: 'event', time: 5 }, operator: 'timers', attempts: 2, error: { message: 'in the timer' } }]);
    expect([result.deadLetters, result.recordsSkipped]).toEqual([1, 0]);
  });
});
