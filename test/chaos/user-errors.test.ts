import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

import { LocalEnvironment, type PipelineOptions, type SageError, SinkFunction, isSageError } from '../../ts/index.ts';
import { BAD, type Fault, FailingBatch, type Form, type Place, failing } from './pipelines/failing.ts';
import { OddError } from './support/odd-error.ts';

const module = fileURLToPath(new URL('pipelines/failing.ts', import.meta.url));
const lines = readFileSync(module, 'utf8').split('\n');

const declaredOn = (place: Place): number => lines.findIndex((line) => line.endsWith(`// at ${place}`)) + 1;

const failureOf = async (promise: Promise<unknown>): Promise<SageError> => {
  const error: unknown = await promise.then(
    () => expect.unreachable('it did not fail'),
    (reason: unknown) => reason,
  );
  if (!isSageError(error)) throw error;
  return error;
};

const PLACEMENTS: readonly { readonly name: string; readonly options: PipelineOptions }[] = [
  { name: 'in the main isolate', options: { parallelism: 1 } },
  { name: 'in workers', options: { parallelism: 2 } },
];

const CODES: Partial<Record<Place, string>> = { source: 'SAGE_USER_SOURCE', sink: 'SAGE_USER_SINK' };

/** What the operator is given at the bad record. */
const records: Partial<Record<Place, unknown>> = {
  filter: { n: BAD },
  map: { n: BAD },
  flatMap: { n: BAD, mapped: true },
  keyBy: { n: BAD, mapped: true },
  reduce: { n: BAD, mapped: true },
  aggregate: { n: BAD },
  sink: { n: BAD, mapped: true },
};

async function run(place: Place, form: Form, fault: Fault, options: PipelineOptions) {
  const counts = new SharedArrayBuffer(4 * 4);
  const error = await failureOf(failing.run({ place, form, fault, counts }, options));
  const [opened, closed, left] = new Int32Array(counts);
  return { error, opened: opened!, closed: closed!, left: left! };
}

function expectWhole(error: SageError, place: Place, message: string): void {
  expect(error.operator).toBe(`the ${place}`);
  expect(error.declaredAt).toMatchObject({ file: module, line: declaredOn(place) });
  expect(error.domain).toBe('user');
  expect(error.retryable).toBe(false);
  expect(error.message).toContain(message);
  const cause = error.cause as OddError;
  // The class itself cannot cross threads; everything that is said of it does.
  expect({ name: cause.name === 'Error' ? cause.constructor.name : cause.name, message: cause.message, code: cause.code }).toEqual({
    name: 'OddError',
    message,
    code: 'E_ODD',
  });
  expect(cause.stack).toContain('failing.ts');
  expect(cause.cause).toMatchObject({ name: 'RangeError', message: 'what lies behind it' });
}

describe.each(PLACEMENTS)('a function of the user $name', ({ options }) => {
  const cases = (['source', 'filter', 'map', 'flatMap', 'keyBy', 'reduce', 'sink'] as const).flatMap((place) =>
    // reduce takes functions only.
    (place === 'reduce' ? (['lambda'] as const) : (['lambda', 'class'] as const)).flatMap((form) =>
      (['throws', 'rejects'] as const).map((fault) => [place, form, fault] as const),
    ),
  );

  it.each([...cases, ['aggregate', 'lambda', 'throws'] as const, ['aggregate', 'lambda', 'rejects'] as const])(
    '%s, a %s that %s: the job fails with operator, line, record and cause; all functions are closed once',
    async (place, form, fault) => {
      const { error, opened, closed, left } = await run(place, form, fault, options);
      expectWhole(error, place, `${place} ${fault}`);
      expect(error.code).toBe(CODES[place] ?? (fault === 'throws' ? 'SAGE_USER_THREW' : 'SAGE_USER_REJECTED'));
      expect('record' in error ? error.record : 'none').toEqual(records[place] ?? 'none');
      expect(opened).toBeGreaterThan(0);
      expect(closed).toBe(opened);
      if (place === 'source' && form === 'lambda') expect(left).toBe(1);
    },
  );

  it.each((['source', 'filter', 'map', 'flatMap', 'keyBy', 'sink'] as const).flatMap((place) => (['constructor', 'open', 'close'] as const).map((fault) => [place, fault] as const)))(
    '%s, a class whose %s throws: the job fails, and everything that was opened is closed once',
    async (place, fault) => {
      const { error, opened, closed } = await run(place, 'class', fault, options);
      expect(error.code).toBe('SAGE_USER_LIFECYCLE');
      expectWhole(error, place, `${place} ${fault}`);
      expect(closed).toBe(opened);
    },
  );

  it('the iterator of a source cannot even be made', async () => {
    const { error, opened, closed } = await run('source', 'lambda', 'iterator', options);
    expect(error.code).toBe('SAGE_USER_SOURCE');
    expectWhole(error, 'source', 'source iterator');
    expect(closed).toBe(opened);
  });

  it('an aggregator that cannot give its result', async () => {
    const { error, opened, closed } = await run('aggregate', 'lambda', 'close', options);
    expect(error.code).toBe('SAGE_USER_THREW');
    expectWhole(error, 'aggregate', 'aggregate result');
    expect(closed).toBe(opened);
  });
});

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

  it('an iterator whose next() gives no object', async () => {
    const source = { [Symbol.iterator]: () => ({ next: () => 5 }) } as never as Iterable<number>;
    const error = await failure((env) => env.fromSource(source).sink([]));
    expect(error).toMatchObject({ code: 'SAGE_USER_SOURCE', operator: 'source' });
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
