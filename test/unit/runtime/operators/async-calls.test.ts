import { describe, expect, it, vi } from 'vitest';

import { AsyncCalls } from '../../../../ts/runtime/stage/async-calls.ts';
import type { AsyncSettings } from '../../../../ts/transformations/map-async-transformation.ts';
import { bindingsOf, nodeOf } from './stage-node.ts';

type Call = (value: unknown, call: { readonly attempt: number; readonly signal: AbortSignal }) => unknown;

function make(fn: Call, settings: Partial<AsyncSettings>, options: { readonly isTolerant?: boolean } = {}) {
  const { bindings, control, givenUp, waits } = bindingsOf(fn, options);
  const whole: AsyncSettings = { concurrency: 2, ordered: true, concurrencyPerKey: undefined, timeoutMs: undefined, retry: undefined, ...settings };
  let readies = 0;
  const calls = new AsyncCalls(nodeOf({ kind: 'mapAsync', fn: {} as never, settings: whole }), bindings, {
    ready: () => void readies++,
  });
  return { calls, control, givenUp, waits, readies: () => readies, inFlight: () => calls.inFlight };
}

/** Calls that settle when the test says so. */
function deferred(): { readonly fn: Call; readonly begun: unknown[]; readonly settle: Map<unknown, PromiseWithResolvers<unknown>> } {
  const settle = new Map<unknown, PromiseWithResolvers<unknown>>();
  const begun: unknown[] = [];
  return {
    begun,
    settle,
    fn(value) {
      const call = Promise.withResolvers<unknown>();
      begun.push(value);
      settle.set(value, call);
      return call.promise;
    },
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('given two calls at a time, in order', () => {
  it('when a third record comes, then it waits for one of them, and nothing more is to come', async () => {
    const { fn, begun, settle } = deferred();
    const { calls, control, readies, inFlight } = make(fn, {});
    for (const n of [1, 2, 3]) calls.submit(n, undefined);
    expect([begun, calls.isFull, control.stop, inFlight(), readies()]).toEqual([[1, 2], true, true, 2, 0]);
    settle.get(2)!.resolve('two');
    await turn();
    // The first one has not settled: nothing leaves, but another call may begin.
    expect([readies(), calls.takeResults(), inFlight()]).toEqual([1, undefined, 1]);
    void calls.work();
    expect(begun).toEqual([1, 2, 3]);
    settle.get(1)!.resolve('one');
    settle.get(3)!.resolve('three');
    await turn();
    expect([calls.takeResults()!.records, readies(), inFlight(), calls.isFull]).toEqual([['one', 'two', 'three'], 2, 0, false]);
  });

  it('when results are given at once, then they are there at once', () => {
    const { calls, inFlight } = make((n) => n, {});
    for (const n of [1, 2, 3]) calls.submit(n, `k${n}`);
    expect(calls.takeResults()).toEqual({ records: [1, 2, 3], keys: ['k1', 'k2', 'k3'] });
    expect([calls.isFull, inFlight()]).toEqual([false, 0]);
  });
});

describe('given one call of a key at a time, without order', () => {
  it('when records of one key come, then others do not wait for them', async () => {
    const { fn, begun, settle } = deferred();
    const { calls } = make(fn, { concurrency: 3, ordered: false, concurrencyPerKey: 1 });
    calls.submit('a1', 'a');
    calls.submit('a2', 'a');
    expect(calls.isFull).toBe(false);
    calls.submit('b1', 'b');
    calls.submit('a3', 'a');
    expect(begun).toEqual(['a1', 'b1']);
    settle.get('a1')!.resolve('A1');
    await turn();
    void calls.work();
    expect([begun, calls.takeResults()!.records]).toEqual([['a1', 'b1', 'a2'], ['A1']]);
  });

  it('when calls settle at once, then none of those that waited is lost', async () => {
    const slow = Promise.withResolvers<unknown>();
    const { calls } = make((n) => (n === 0 ? slow.promise : n), { concurrency: 2, ordered: false, concurrencyPerKey: 1 });
    for (let n = 0; n < 20; n++) calls.submit(n, 'a');
    slow.resolve(0);
    await turn();
    void calls.work();
    expect(calls.takeResults()!.records).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });

  it('when too many wait for a key, then no more may come', () => {
    const { fn } = deferred();
    const { calls } = make(fn, { concurrency: 2, ordered: false, concurrencyPerKey: 1 });
    let taken = 0;
    for (; !calls.isFull && taken < 10_000; taken++) calls.submit(taken, 'a');
    expect(taken).toBeLessThanOrEqual(70);
  });
});

describe('given calls that fail', () => {
  it('when there are attempts left, then the record keeps its place, and waits longer each time', async () => {
    const seen: string[] = [];
    const { calls, waits } = make(async (n, { attempt }) => {
      seen.push(`${String(n)}/${attempt}`);
      if (n === 1 && attempt < 4) throw new Error('again');
      return n;
    }, { retry: { retry: 3, backoffMs: 100 } });
    calls.submit(1, undefined);
    calls.submit(2, undefined);
    await turn();
    expect(calls.takeResults()!.records).toEqual([1, 2]);
    expect(seen).toEqual(['1/1', '2/1', '1/2', '1/3', '1/4']);
    waits.forEach((ms, n) => {
      expect(ms).toBeGreaterThan(100 * 2 ** n * 0.5 - 1e-9);
      expect(ms).toBeLessThanOrEqual(100 * 2 ** n);
    });
  });

  it('when none is left, then the next work throws, or with a policy the record is given up', async () => {
    const error = new RangeError('no');
    const strict = make(() => Promise.reject(error), {});
    strict.calls.submit(1, undefined);
    await turn();
    expect(() => strict.calls.work()).toThrow(error);
    const tolerant = make((n) => (n === 1 ? Promise.reject(error) : n), { retry: { retry: 1, backoffMs: 0 } }, { isTolerant: true });
    for (const n of [1, 2]) tolerant.calls.submit(n, undefined);
    await turn();
    await tolerant.calls.work();
    expect([tolerant.givenUp, tolerant.calls.takeResults()!.records]).toEqual([[{ error, record: 1, attempts: 2 }], [2]]);
  });
});

describe('given a time limit', () => {
  it('when a call does not settle in it, then its signal is aborted, and what it gives later counts for nothing', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const { settle, fn } = deferred();
      const signals: AbortSignal[] = [];
      const { calls, givenUp, inFlight } = make((n, call) => {
        signals.push(call.signal);
        return fn(n, call);
      }, { timeoutMs: 50 }, { isTolerant: true });
      calls.submit(1, undefined);
      vi.advanceTimersByTime(49);
      expect(signals[0]!.aborted).toBe(false);
      vi.advanceTimersByTime(1);
      expect([signals[0]!.aborted, inFlight()]).toEqual([true, 0]);
      await calls.work();
      expect(givenUp).toMatchObject([{ record: 1, error: { code: 'SAGE_USER_TIMEOUT' } }]);
      settle.get(1)!.resolve('late');
      await turn();
      expect([calls.takeResults(), inFlight()]).toEqual([undefined, 0]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('when the job is over, then no timer is left that would keep the process, and calls still land', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const { settle, fn } = deferred();
      const { calls, control, inFlight } = make(fn, { timeoutMs: 60_000 });
      for (const n of [1, 2]) calls.submit(n, undefined);
      control.leave();
      expect([vi.getTimerCount(), inFlight()]).toEqual([0, 2]);
      settle.get(1)!.resolve('late');
      settle.get(2)!.reject(new Error('aborted'));
      await turn();
      expect(inFlight()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});
