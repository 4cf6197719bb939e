import { expect, test } from 'vitest';
import { LocalEnvironment } from '../../../ts/environment/local-environment.ts';
import { FakeSubmitter } from './fake-submitter.ts';

function setUp() {
  const submitter = new FakeSubmitter();
  const env = new LocalEnvironment('test', {}, submitter);
  return { submitter, env };
}
const numbers = (n: number) => Array.from({ length: n }, (_, index) => index);

async function all<T>(records: AsyncIterable<T>): Promise<T[]> {
  const seen: T[] = [];
  for await (const record of records) seen.push(record);
  return seen;
}

test('iterating submits the job, without autostop, and gives every record in order, null and undefined too', async () => {
  const { env, submitter } = setUp();
  const records = env.fromBatch([...numbers(5000), null, undefined]).collect();
  expect(submitter.submitted).toEqual([]);
  expect(await all(records)).toEqual([...numbers(5000), null, undefined]);
  expect(submitter.submitted).toEqual([{}]);
});

test('an empty stream ends', async () => {
  const { env } = setUp();
  expect(await all(env.fromBatch([]).collect())).toEqual([]);
});

test('the job waits for a reader that stops reading, and goes on when it reads again', async () => {
  const { env, submitter } = setUp();
  const iterator = env.fromBatch(numbers(10_000)).collect()[Symbol.asyncIterator]();
  await iterator.next();
  for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(submitter.jobs[0]!.written).toBeLessThan(2000);
  let rest = 0;
  while (!(await iterator.next()).done) rest += 1;
  expect(rest).toBe(9999);
});

test('leaving the loop early cancels the job and waits for its end', async () => {
  const { env, submitter } = setUp();
  submitter.endless = true;
  for await (const record of env.fromBatch([1, 2, 3]).collect()) {
    if (record === 2) break;
  }
  expect(submitter.jobs[0]!.calls).toEqual(['cancel']);
  expect(submitter.jobs[0]!.status).toBe('canceled');
});

test('an error of the job reaches the reader behind the records that came before it', async () => {
  const { env, submitter } = setUp();
  submitter.failure = new Error('boom');
  const seen: number[] = [];
  const read = async () => {
    for await (const record of env.fromBatch([1, 2]).collect()) seen.push(record);
  };
  await expect(read()).rejects.toBe(submitter.failure);
  expect(seen).toEqual([1, 2]);
});

test('several readers that begin together share one job', async () => {
  const { env, submitter } = setUp();
  const stream = env.fromBatch(numbers(10));
  const [left, right] = await Promise.all([all(stream.collect()), all(stream.collect())]);
  expect([left, right]).toEqual([numbers(10), numbers(10)]);
  expect(submitter.jobs).toHaveLength(1);
});

test('a reader joins a job that already runs', async () => {
  const { env, submitter } = setUp();
  const records = env.fromBatch(numbers(10)).collect();
  await env.submit();
  expect(await all(records)).toEqual(numbers(10));
  expect(submitter.jobs).toHaveLength(1);
});

test('a collect() that nobody reads is a plan error: with autostop, and beside another reader', async () => {
  const { env, submitter } = setUp();
  const stream = env.fromBatch([1]);
  const read = stream.collect();
  stream.collect();
  const unread = expect.objectContaining({ code: 'SAGE_PLAN_COLLECT', message: expect.stringContaining('stream.collect();') });
  await expect(all(read)).rejects.toEqual(unread);
  await expect(env.submit({ autostop: true })).rejects.toEqual(unread);
  expect(submitter.submitted).toEqual([]);
});

test('there is one pass', async () => {
  const { env } = setUp();
  const records = env.fromBatch([1]).collect();
  await all(records);
  expect(() => records[Symbol.asyncIterator]()).toThrow(expect.objectContaining({ code: 'SAGE_ENV_CONTEXT' }));
});
