import { describe, expect, it } from 'vitest';

import { FilterFunction, LocalEnvironment, MapFunction, SinkFunction } from '../../../ts/index.ts';
import { VirtualClock } from '../../../ts/testing/virtual-clock.ts';
import { states, type CountedWord, counted } from '../pipelines/function-state.ts';
import { PushSource } from '../support/push-source.ts';
import { numbers } from '../support/run-to-array.ts';

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate);
}

describe('state of functions that are no process functions', () => {
  it('is given back, so that a key without state costs nothing', async () => {
    // given many keys, each with a record that sets and one that clears, and one that stays
    class Pairs extends FilterFunction<number> {
      execute(n: number): boolean {
        const open = this.ctx.state.value<boolean>('open');
        const isOpen = open.get() === true;
        open.set(n === -1 || !isOpen ? true : undefined);
        return isOpen;
      }
    }
    const env = new LocalEnvironment('pairs');
    const done: number[] = [];
    env.fromCollection([-1, ...numbers(20_000).flatMap((n) => [n, n])]).keyBy((n) => n).filter(Pairs).sink(done);
    // when
    const { operators } = await env.submit({ autostop: true });
    // then
    expect(done).toEqual(numbers(20_000));
    expect(operators.find(({ name }) => name === 'filter')!.metrics?.gauges['keys held']).toEqual({ 0: 1 });
  });

  it('is gone after its time to live, and its memory with it', async () => {
    // given 5,000 keys, then a clock that goes on by more than they live, then a few records of another key
    class Seen extends MapFunction<{ readonly key: string }, string> {
      execute({ key }: { readonly key: string }): string {
        const times = this.ctx.state.value('times', { ttlMs: 1000, default: 0 });
        worked++;
        return `${key} ${times.update((n) => n + 1)}`;
      }
    }
    let worked = 0;
    const clock = new VirtualClock();
    const env = new LocalEnvironment('expiring', { clock });
    const out: string[] = [];
    env
      .fromSource(async function* () {
        for (let n = 0; n < 5000; n++) yield { key: `k${n}` };
        yield { key: 'k0' };
        await until(() => worked === 5001);
        clock.advance(1001);
        yield { key: 'k0' };
        for (let n = 0; n < 200; n++) yield { key: 'other' };
      })
      .keyBy('key')
      .map(Seen)
      .sink(out);
    // when
    const { operators } = await env.submit({ autostop: true });
    // then
    expect(out.filter((text) => text.startsWith('k0 '))).toEqual(['k0 1', 'k0 2', 'k0 1']);
    expect(out.at(-1)).toBe('other 200');
    expect(operators.find(({ name }) => name === 'map')!.metrics?.gauges['keys held']).toEqual({ 0: 2 });
  });

  it('is read by uid, name and key while the job runs', async () => {
    // given a map and a sink with state, in a job that has worked on three records and waits for more
    class Last extends MapFunction<{ key: string; value: number }, { key: string; value: number }> {
      execute(record: { key: string; value: number }): { key: string; value: number } {
        this.ctx.state.value('last').set(record.value);
        return record;
      }
    }
    class All extends SinkFunction<{ key: string; value: number }> {
      execute({ value }: { key: string; value: number }): void {
        this.ctx.state.list('all').add(value);
        seen++;
      }
    }
    let seen = 0;
    const env = new LocalEnvironment('looked at');
    const source = new PushSource<{ key: string; value: number }>();
    env.fromSource(source).keyBy('key').map(Last).uid('last').map((record) => record).uid('lambda').sink(All, { uid: 'all' });
    const job = await env.submit();
    for (const record of [{ key: 'a', value: 1 }, { key: 'a', value: 2 }, { key: 'b', value: 3 }]) await source.push(record);
    await until(() => seen === 3);
    // when it is asked, then it answers
    expect(await Promise.all(['a', 'b', 'c'].map((key) => job.state('last', 'last').get(key)))).toEqual([2, 3, undefined]);
    expect(await job.state('all', 'all').get('a')).toEqual([1, 2]);
    await expect(job.state('last', 'other').get('a')).rejects.toMatchObject({ code: 'SAGE_JOB_STATE', message: "'map' of job 'looked at' has no state 'other': its states are 'last'" });
    // a lambda keeps none
    expect(() => job.state('lambda', 'last')).toThrow(expect.objectContaining({ code: 'SAGE_PLAN_ARGUMENT', message: expect.stringContaining("expected: one of 'last', 'all'") }));
    source.end();
    await job.completion;
  });

  it.each([[1, 2], [2, 3], [3, 1]])('is that of its key over worker threads, from %i to %i instances', async (upstream, downstream) => {
    for (const list of Object.values(counted)) list.length = 0;
    const result = await states.run({ records: 500, upstream, downstream });
    expect(result.isolates).toBeGreaterThanOrEqual(2);
    // then each key was counted from 1 on, by one instance
    const expected = new Map<string, number>();
    for (const n of numbers(500)) expected.set(`k${n % 11}`, (expected.get(`k${n % 11}`) ?? 0) + 1);
    for (const list of [counted.map, counted.comap]) {
      const byKey = Map.groupBy(list, ({ key }: CountedWord) => key);
      expect(byKey.size).toBe(11);
      for (const [key, words] of byKey) {
        expect(words.map(({ times }) => times).toSorted((a, b) => a - b)).toEqual(numbers(expected.get(key)! * (list === counted.map ? 1 : 2)).map((n) => n + 1));
        expect(new Set(words.map(({ instance }) => instance)).size).toBe(1);
      }
    }
  });
});
