import { Readable, Writable } from 'node:stream';

import { describe, expect, it } from 'vitest';

import { compile } from '../../../ts/compiler/compile.ts';
import { JsonLinesSink } from '../../../ts/connectors/json-lines-sink.ts';
import { LocalEnvironment } from '../../../ts/environment/local-environment.ts';
import { SinkFunction } from '../../../ts/functions/sink-function.ts';
import type { TransactionalSink } from '../../../ts/functions/transactional-sink.ts';
import type { JobGuarantee } from '../../../ts/transformations/job-guarantee.ts';
import type { EnvironmentConfig } from '../../../ts/transformations/environment-config.ts';
import { END, SourceFunction } from '../../../ts/functions/source-function.ts';

const checkpoint = { dir: 'checkpoints', intervalMs: 1000 };

describe('the settings of checkpoints', () => {
  it.each([
    [{ checkpoint: 'here' }, /the setting checkpoint is/],
    [{ checkpoint: {} }, /the setting checkpoint\.dir is undefined/],
    [{ checkpoint: { dir: '' } }, /checkpoint\.dir/],
    [{ checkpoint: { ...checkpoint, intervalMs: 0 } }, /checkpoint\.intervalMs/],
    [{ checkpoint: { ...checkpoint, minPauseMs: -1 } }, /checkpoint\.minPauseMs/],
    [{ checkpoint: { ...checkpoint, retained: 0 } }, /checkpoint\.retained/],
    [{ checkpoint: { ...checkpoint, directory: 'x' } }, /checkpoint\.directory[^]*only dir, intervalMs, minPauseMs, retained/],
    [{ restart: 'always' }, /the setting restart is/],
    [{ restart: { kind: 'sometimes' } }, /fixed, exponential, failureRate/],
    [{ restart: { kind: 'fixed', attempts: 1.5, delayMs: 0 } }, /restart\.attempts/],
    [{ restart: { kind: 'fixed', attempts: 1 } }, /restart\.delayMs/],
    [{ restart: { kind: 'exponential', initialMs: 10, maxMs: 5 } }, /restart\.maxMs/],
    [{ restart: { kind: 'exponential', initialMs: 10, maxMs: 50, jitter: 1 } }, /restart\.jitter/],
    [{ restart: { kind: 'failureRate', failures: 1, perMs: 0, delayMs: 1 } }, /restart\.perMs/],
  ])('given %j, when the environment is made, then it is an error', (config, message) => {
    expect(() => new LocalEnvironment('x', config as never)).toThrow(message);
  });

  it('given what is right, when the environment is made, then it is taken', () => {
    for (const restart of ['none', { kind: 'fixed', attempts: 0, delayMs: 0 }, { kind: 'exponential', initialMs: 1, maxMs: 1 }, { kind: 'failureRate', failures: 0, perMs: 1, delayMs: 0 }] as const) {
      expect(new LocalEnvironment('x', { checkpoint: { dir: 'd' }, restart }).config.restart).toEqual(restart);
    }
  });

  it.each([
    [{ from: '' }, checkpoint, /from of submit/],
    [{ from: 7 }, checkpoint, /from of submit/],
    [{ from: 'latest', allowDropped: 'all' }, checkpoint, /allowDropped of submit/],
    [{ from: 'latest' }, undefined, /has no checkpoints/],
  ])('given the options %j, when it is submitted, then it is an error', async (options, given, message) => {
    const env = new LocalEnvironment('x', given === undefined ? {} : { checkpoint: given });
    env.fromCollection([1]).sink([]);
    await expect(env.submit(options as never)).rejects.toThrow(message);
  });
});

class Seekable extends SourceFunction<number> {
  execute(): typeof END {
    return END;
  }
  position(): number {
    return 0;
  }
  seek(): void {}
}

class Endless extends SourceFunction<number> {
  execute(): number {
    return 1;
  }
}

describe('sources of a job with checkpoints', () => {
  const explained = (add: (env: LocalEnvironment) => { sink(target: unknown[]): unknown }, config: EnvironmentConfig = { checkpoint }): string => {
    const env = new LocalEnvironment('x', config);
    add(env).sink([]);
    return env.explain('physical');
  };

  it('given a stream or an iterator, which have one pass, when it is planned, then it is an error with the line and the protocol', () => {
    expect(() => explained((env) => env.fromSource(Readable.from([1])))).toThrow(/SAGE_CHECKPOINT_SOURCE|cannot go on after a restart[^]*checkpoint-config\.test\.ts[^]*position\(\) and seek\(position\)/);
    expect(() => explained((env) => env.fromBatch([1].values()))).toThrow(/cannot go on/);
    expect(() => explained((env) => env.fromBatch([1].values()), { restart: { kind: 'fixed', attempts: 1, delayMs: 0 } })).toThrow(/the job has restarts/);
    expect(() => explained((env) => env.fromBatch([1].values()), {})).not.toThrow();
  });

  it('given a source without end, when it has no position, then it is an error, and with one it is exact', () => {
    expect(() => explained((env) => env.fromSource(Endless, { unbounded: true }))).toThrow(/one without end that has no position/);
    expect(explained((env) => env.fromSource(Seekable, { unbounded: true }))).not.toMatch(/replayed from the start/);
  });

  it('given a stream as the sink of a job with restarts, when it is planned, then it has to stay open: a failure would destroy it', () => {
    const planned = (stream: Writable | WritableStream<string>, options: { end?: boolean }, config: EnvironmentConfig) => () => {
      const env = new LocalEnvironment('x', config);
      env.fromCollection([1]).map(String).sink(stream, options).named('the stream');
      return env.explain('physical');
    };
    const restart = { kind: 'fixed', attempts: 1, delayMs: 0 } as const;
    for (const make of [() => new Writable({ objectMode: true }), () => new WritableStream<string>()]) {
      expect(planned(make(), {}, { restart })).toThrow(/'the stream' is destroyed when the job fails[^]*checkpoint-config\.test\.ts[^]*\{ end: false \}/);
      expect(planned(make(), { end: false }, { restart })).not.toThrow();
      expect(planned(make(), {}, { checkpoint })).not.toThrow();
    }
  });

  it('given a generator function, when it is planned, then the plan says what it is exact for, and that an array gets records again', () => {
    const text = explained((env) => env.fromBatch(function* numbers() { yield 1; }));
    expect(text).toMatch(/checkpoints: every 1000 ms, 3 kept in checkpoints; state exactly once/);
    expect(text).toMatch(/replayed from the start: exact only if the source repeats itself/);
    expect(text).toMatch(/at least once: the array gets what came after the last checkpoint again/);
    expect(explained((env) => env.fromCollection([1]))).not.toMatch(/replayed/);
  });
});

class Committed extends SinkFunction<unknown> implements TransactionalSink {
  execute(): void {}
  prepare(): undefined {
    return undefined;
  }
  commit(): void {}
}

describe('what a job guarantees', () => {
  const planned = (add: (env: LocalEnvironment) => unknown, config: EnvironmentConfig = { checkpoint }): { readonly guarantee: JobGuarantee; readonly text: string } => {
    const env = new LocalEnvironment('x', config);
    add(env);
    return { guarantee: env.explain({ format: 'json' }).guarantee, text: env.explain('physical') };
  };
  const numbers = (env: LocalEnvironment) => env.fromCollection([1]).named('numbers');

  it('given sinks that commit, and files, when it is planned, then it is exactly once', () => {
    const { guarantee, text } = planned((env) => numbers(env).sink(Committed).sink(new Committed()).sink(new JsonLinesSink('out.jsonl')));
    expect(guarantee).toEqual({ level: 'exactlyOnce', limits: [] });
    expect(text).toMatch(/guarantee: exactly once$/m);
  });

  it('given an idempotent sink beside them, when it is planned, then it is effectively once because of it', () => {
    const { guarantee, text } = planned((env) => numbers(env).sink(Committed).sink(() => undefined, { delivery: 'idempotent' }).named('put'));
    expect(guarantee).toMatchObject({ level: 'effectivelyOnce', limits: [{ operator: 'put', kind: 'sink', guarantee: 'effectivelyOnce' }] });
    expect(text).toMatch(/guarantee: effectively once\n {4}sink 'put': effectively once: /);
  });

  it.each<[string, (env: LocalEnvironment) => unknown]>([
    ['a function', (env) => numbers(env).sink(() => undefined).named('limit')],
    ['an array', (env) => numbers(env).sink([]).named('limit')],
    ['a stream', (env) => numbers(env).map(String).sink(new Writable()).named('limit')],
    ['standard output', (env) => numbers(env).map((n) => ({ n })).sink(new JsonLinesSink('-')).named('limit')],
    ['a device', (env) => numbers(env).map((n) => ({ n })).sink(new JsonLinesSink('/dev/null')).named('limit')],
    ['a generator as source', (env) => env.fromBatch(function* () { yield 1; }).named('limit').sink(Committed)],
  ])('given %s beside an idempotent sink, when it is planned, then it is at least once, and both are named', (_, add) => {
    const { guarantee } = planned((env) => {
      numbers(env).sink(() => undefined, { delivery: 'idempotent' }).named('put');
      add(env);
    });
    expect(guarantee.level).toBe('atLeastOnce');
    expect(guarantee.limits.filter(({ operator }) => operator !== 'put')).toMatchObject([{ operator: 'limit', guarantee: 'atLeastOnce' }]);
  });

  it('given no checkpoints, when it is planned, then it is none', () => {
    const { guarantee, text } = planned((env) => numbers(env).sink(Committed), {});
    expect(guarantee).toEqual({ level: 'none', limits: [] });
    expect(text).toMatch(/guarantee: none, as there are no checkpoints$/m);
  });

  it('given a delivery that nobody can say, when sink is called, then it is an error with one fix', () => {
    const env = new LocalEnvironment('x');
    const stream = env.fromCollection([1]);
    expect(() => stream.sink(Committed, { delivery: 'idempotent' })).toThrow(/has prepare\(\) and commit\(\)[^]*Leave it away/);
    expect(() => stream.sink([], { delivery: 'idempotent' } as never)).toThrow(/what this sink guarantees is known/);
    expect(() => stream.sink(() => undefined, { delivery: 'twice' as never })).toThrow(/'atLeastOnce' or 'idempotent'/);
  });
});

describe('parallelism that grows while a job runs', () => {
  const planned = (config: EnvironmentConfig): { readonly late: number; readonly reason: string } => {
    const env = new LocalEnvironment('x', config);
    env.fromBatch(function* () { yield 1; }).map((n) => n).named('grows').parallelism('auto').sink([]);
    const { physical, logical } = compile(env.pipeline, env.config, { importable: true, cores: 4 });
    return { late: physical.isolates.lateWorkers, reason: logical.operators.find(({ name }) => name === 'grows')!.parallelismReason };
  };

  it('given checkpoints, when it is planned, then all instances are there from the start, and the plan says why', () => {
    expect(planned({}).late).toBeGreaterThan(0);
    expect(planned({ checkpoint })).toEqual({ late: 0, reason: "'auto': one for each processor from the start, as none come later in a job with checkpoints" });
  });
});
