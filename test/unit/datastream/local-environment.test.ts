import { expect, test } from 'vitest';
import { LocalEnvironment } from '../../../ts/environment/local-environment.ts';
import { FakeSubmitter } from './fake-submitter.ts';

function setUp() {
  const submitter = new FakeSubmitter();
  const env = new LocalEnvironment('test', {}, submitter);
  return { submitter, env };
}

test('submit gives the running job; with autostop its result', async () => {
  const { env, submitter } = setUp();
  env.fromBatch([1]).sink([]);
  const job = await env.submit();
  expect(job).toBe(submitter.jobs[0]);
  await expect(env.submit({ autostop: true })).resolves.toMatchObject({ status: 'finished' });
  const { signal } = new AbortController();
  await env.submit({ signal });
  expect(submitter.submitted).toEqual([{}, { autostop: true }, { signal }]);
});

test('with autostop, the error of the job is the error of submit', async () => {
  const { env, submitter } = setUp();
  env.fromBatch([1]).sink([]);
  submitter.failure = new Error('boom');
  await expect(env.submit({ autostop: true })).rejects.toBe(submitter.failure);
});

test('the active job is the one that runs', async () => {
  const { env } = setUp();
  expect(env.activeJob).toBeUndefined();
  env.fromBatch([1]).sink([]);
  const job = await env.submit();
  expect(env.activeJob).toBe(job);
  await job.completion;
  expect(env.activeJob).toBeUndefined();
});

test('close stops what runs, once, and nothing can be added or submitted behind it', async () => {
  const { env, submitter } = setUp();
  submitter.endless = true;
  const stream = env.fromBatch([1]);
  const iterator = stream.collect()[Symbol.asyncIterator]();
  await iterator.next();
  await Promise.all([env.close(), env.close()]);
  expect(submitter.jobs[0]!.calls).toEqual(['stop']);
  expect(() => stream.map((n) => n)).toThrow(expect.objectContaining({ code: 'SAGE_ENV_CLOSED' }));
  await expect(env.submit()).rejects.toMatchObject({ code: 'SAGE_ENV_CLOSED' });
});

test('await using closes', async () => {
  const submitter = new FakeSubmitter();
  {
    await using env = new LocalEnvironment('test', {}, submitter);
    submitter.endless = true;
    const records = env.fromBatch([1]).collect();
    await records[Symbol.asyncIterator]().next();
  }
  expect(submitter.jobs[0]!.calls).toEqual(['stop']);
});

test.each([
  [{ autostop: 'yes' }, /autostop/],
  [{ signal: {} }, /signal/],
  [{ autoStop: true }, /'autoStop'/],
])('options %j of submit are refused', async (options, message) => {
  const { env, submitter } = setUp();
  env.fromBatch([1]).sink([]);
  await expect(env.submit(options as never)).rejects.toMatchObject({ code: 'SAGE_PLAN_ARGUMENT', message: expect.stringMatching(message) });
  expect(submitter.submitted).toEqual([]);
});

test('explain asks for the level that is wanted', () => {
  const { env } = setUp();
  expect([env.explain(), env.explain('physical')]).toEqual(['all of test', 'physical of test']);
});
