import { fileURLToPath } from 'node:url';

import { describe, expect, it, vi } from 'vitest';

import { KeyedProcessFunction } from '../../../ts/index.ts';
import { TestEnvironment } from '../../../ts/testing/index.ts';
import { runScript } from '../support/run-script.ts';

vi.setConfig({ testTimeout: 60_000 });

class Keeps extends KeyedProcessFunction<string, { key: string; value: number }, number> {
  execute({ key, value }: { key: string; value: number }): void {
    const { state } = this.ctx;
    state.value('last').set(value);
    state.list('all').add(value);
    state.map('by').set({ value }, key);
    state.reducing<number>('total', (a, b) => a + b).add(value);
    this.collect(value);
  }
}

describe('state of a running job', () => {
  it('is read by uid, name and key', async () => {
    // given a job that has worked on three records and waits for more
    await using env = new TestEnvironment({ name: 'looked at' });
    const source = env.testSource<{ key: string; value: number }>('records');
    env.fromSource(source).keyBy('key').process(Keeps).uid('keeps').sink([]);
    const job = await env.start();
    for (const record of [{ key: 'a', value: 1 }, { key: 'a', value: 2 }, { key: 'b', value: 3 }]) source.push(record);
    await env.settle();
    // when it is asked, then it answers with what the function has kept
    const of = (name: string, key: unknown): Promise<unknown> => job.state('keeps', name).get(key);
    expect([await of('last', 'a'), await of('last', 'b'), await of('all', 'a'), await of('by', 'b'), await of('total', 'a')]).toEqual([2, 3, [1, 2], new Map([[{ value: 3 }, 'b']]), 3]);
    // and undefined for a key that it has not seen, however often it is asked
    expect([await of('last', 'c'), await of('last', 'c'), await of('last', { any: 'key' })]).toEqual([undefined, undefined, undefined]);
    await expect(of('other', 'a')).rejects.toMatchObject({ code: 'SAGE_JOB_STATE', message: "'process' of job 'looked at' has no state 'other': its states are 'last', 'all', 'by', 'total'" });
    await expect(of('last', Symbol('s'))).rejects.toMatchObject({ code: 'SAGE_KEY_UNSUPPORTED' });
    expect(() => job.state('keep', 'last')).toThrow(expect.objectContaining({ code: 'SAGE_PLAN_ARGUMENT', message: expect.stringContaining("expected: one of 'keeps'") }));
    await env.finish();
    expect(() => job.state('keeps', 'last')).toThrow(expect.objectContaining({ code: 'SAGE_JOB_STATE' }));
  });

  it('is read from worker threads', async () => {
    const { stdout, stderr, code } = await runScript(fileURLToPath(new URL('../scripts/state-script.ts', import.meta.url)));
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(JSON.parse(stdout)).toEqual({
      found: Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`key ${n}`, 10])),
      threads: 2,
      unknownKey: true,
      unknownName: "'process' of job 'words' has no state 'other': its states are 'count'",
    });
  });
});
