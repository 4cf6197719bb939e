import { describe, expect, it } from 'vitest';

import { LocalEnvironment, type SageError, SinkFunction } from '../../ts/index.ts';
import { failureOf } from '../e2e/support/failure-of.ts';
import { BAD, FailingBatch } from './pipelines/failing.ts';
import { OddError } from './support/odd-error.ts';
import { describeUserErrors } from './support/user-error-suite.ts';

describeUserErrors('in the main isolate', { parallelism: 1 });
describeUserErrors('in workers', { parallelism: 2 });

describe('what is thrown', () => {
  const thrown = async (what: unknown): Promise<SageError> => {
    const env = new LocalEnvironment();
    env
      .fromCollection([1])
      .map(() => {
        throw what;
      })
      .sink([]);
    return failureOf(env.submit({ autostop: true }));
  };

  it.each([['a string'], [7], [{ kind: 'thing' }], [null], [Symbol('sign')]])('may be anything: %s', async (what) => {
    const error = await thrown(what);
    expect(error.code).toBe('SAGE_USER_THREW');
    expect(error.cause).toBe(what);
  });

  it('an error of the user arrives as it is: the very object', async () => {
    const odd = new OddError('own');
    expect((await thrown(odd)).cause).toBe(odd);
  });

  it('an object whose toString throws does not hide what happened', async () => {
    const error = await thrown(Object.create(null));
    expect(error.code).toBe('SAGE_USER_THREW');
    expect(error.operator).toBe('map');
  });
});

describe('a wrong type', () => {
  const failure = (build: (env: LocalEnvironment) => void): Promise<SageError> => {
    const env = new LocalEnvironment();
    build(env);
    return failureOf(env.submit({ autostop: true }));
  };

  it('flatMap that returns a number', async () => {
    const error = await failure((env) => env.fromCollection([5]).flatMap((() => 5) as never).sink([]));
    expect(error).toMatchObject({ code: 'SAGE_USER_WRONG_TYPE', operator: 'flatMap', record: 5 });
    expect(error.message).toContain('number');
  });

  it('a key that cannot be one', async () => {
    const error = await failure((env) =>
      env.fromCollection([5]).keyBy((() => () => 1) as never).reduce((a) => a).sink([]),
    );
    expect(error).toMatchObject({ code: 'SAGE_KEY_UNSUPPORTED', record: 5 });
  });

  it('a field that the key needs is missing', async () => {
    const error = await failure((env) => env.fromCollection([{ a: 1 }, { b: 2 } as never]).keyBy('a').reduce((a) => a).sink([]));
    expect(error).toMatchObject({ code: 'SAGE_KEY_MISSING_FIELD', operator: 'keyBy', record: { b: 2 } });
  });

  it.each([5, 'text', null, undefined])('an iterator whose next() gives %o', async (result) => {
    const taken: unknown[] = [];
    const source = { [Symbol.iterator]: () => ({ next: () => result }) } as never as Iterable<number>;
    expect(await failure((env) => env.fromSource(source).sink(taken))).toMatchObject({ code: 'SAGE_USER_SOURCE', operator: 'source' });
    const late = { [Symbol.asyncIterator]: () => ({ next: async () => result }) } as never as AsyncIterable<number>;
    expect(await failure((env) => env.fromSource(late).sink(taken))).toMatchObject({ code: 'SAGE_USER_SOURCE' });
    for (const inner of [source, late]) {
      const error = await failure((env) => env.fromCollection([1]).flatMap(() => inner).sink(taken));
      expect(error).toMatchObject({ domain: 'user', operator: 'flatMap', record: 1 });
    }
    expect(taken).toEqual([]);
  });

  it('an iterator that says it is done in other words than true', async () => {
    const steps = [{ value: 1 }, { value: 2, done: 0 }, { done: 1 }];
    const steady = { [Symbol.iterator]: () => ({ next: ((at) => () => steps[at++])(0) }) } as never as Iterable<number>;
    const taken: number[] = [];
    const env = new LocalEnvironment();
    env.fromSource(steady).sink(taken);
    env.fromCollection([0]).flatMap(() => steady).sink(taken);
    await env.submit({ autostop: true });
    expect(taken.toSorted()).toEqual([1, 1, 2, 2]);
  });

  it('a batch source that throws in the middle delivers what came before', async () => {
    const taken: unknown[] = [];
    const error = await failure((env) => env.fromBatch(FailingBatch).sink(taken));
    expect(error).toMatchObject({ code: 'SAGE_USER_SOURCE' });
    expect(taken).toHaveLength(BAD);
  });
});

describe('a function that changes its input', () => {
  it('on frozen records is an error of that record, with its operator', async () => {
    const env = new LocalEnvironment();
    env
      .fromCollection([Object.freeze({ n: 1 })])
      .map((record: { n: number }) => {
        record.n++;
        return record;
      })
      .sink([]);
    const error = await failureOf(env.submit({ autostop: true }));
    expect(error).toMatchObject({ code: 'SAGE_USER_THREW', operator: 'map', record: { n: 1 } });
    expect(error.cause).toBeInstanceOf(TypeError);
  });

  it('loses no record and mixes no branches', async () => {
    const env = new LocalEnvironment();
    const [left, right]: [number[], number[]] = [[], []];
    const records = env.fromCollection(Array.from({ length: 1000 }, (_, n) => ({ n })));
    records.map((record) => (record.n += 1000)).sink(left);
    records.map((record) => record.n).sink(right);
    const result = await env.submit({ autostop: true });
    expect(left).toHaveLength(1000);
    expect(right).toHaveLength(1000);
    expect(result.recordsOut).toBe(2000);
  });

  it('the source array may be emptied by it: nothing crashes', async () => {
    const env = new LocalEnvironment();
    const items = Array.from({ length: 5000 }, (_, n) => n);
    const seen: unknown[] = [];
    env
      .fromCollection(items)
      .map((n) => {
        if (n === 10) items.length = 0;
        return n ?? null;
      })
      .sink(seen);
    await env.submit({ autostop: true });
    expect(seen.slice(0, 11)).toEqual(Array.from({ length: 11 }, (_, n) => n));
  });
});

describe('sinks of the user', () => {
  it.each(['success', 'failure', 'cancel', 'stop'] as const)('are closed exactly once: %s', async (how) => {
    const closes: string[] = [];
    class Sink extends SinkFunction<number> {
      execute(): void {}
      override close(): void {
        closes.push('closed');
      }
    }
    const env = new LocalEnvironment();
    let n = 0;
    env
      .fromSource(
        () => {
          if (how === 'failure' && n === 1000) throw new OddError('enough');
          return n++;
        },
        { unbounded: true },
      )
      .map((value) => {
        if (how === 'success' && value === 5000) void job.stop();
        return value;
      })
      .sink(Sink);
    const job = await env.submit();
    if (how === 'cancel') await job.cancel();
    if (how === 'stop') await job.stop();
    await job.completion.catch(() => undefined);
    expect(closes).toEqual(['closed']);
  });
});
