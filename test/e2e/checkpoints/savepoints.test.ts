// Savepoints: one file, written while the job goes on or as the last it does, and gone on from anywhere.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import { JobManager, JsonLinesSink, LocalEnvironment } from '../../../ts/index.ts';
import { Workplace } from './interrupted.ts';
import { environment, EXPECTED, KEYS, Numbered, numbersWith, RECORDS, Rests, running, written } from './numbered.ts';

describe('job.savepoint(path)', () => {
  it('given a job that runs, when it is called, then a file is there, the job goes on to its end, and nothing else is left', async () => {
    using place = new Workplace();
    const rests = new Rests(100);
    const job = await running(place, rests, 100);
    const summary = await job.savepoint(place.path('a/b/first'));
    expect(summary).toMatchObject({ path: place.path('a/b/first'), epoch: 1, bytes: readFileSync(place.path('a/b/first')).length });
    expect(readdirSync(place.path('a/b'))).toEqual(['first']);
    rests.goOn(100);
    expect(await job.completion).toMatchObject({ status: 'finished', recordsOut: RECORDS });
    expect(written(place)).toEqual(EXPECTED);
  });

  it('given one that was moved, with another checkpoint directory and three instances, when a job goes on from it, then its result is the undisturbed one', async () => {
    using place = new Workplace();
    const rests = new Rests(250, 400);
    const job = await running(place, rests, 250);
    await job.checkpoint();
    const { epoch } = await job.savepoint(place.path('first'));
    rests.goOn(250);
    await rests.reached(400);
    await job.cancel();
    mkdirSync(place.path('elsewhere'));
    renameSync(place.path('first'), place.path('elsewhere/moved'));
    rmSync(place.path('checkpoints'), { recursive: true });

    const again = await environment(place, 'others', new Rests(), { parallelism: 3 }).submit({ from: place.path('elsewhere/moved') });
    expect(again.metrics().checkpoints?.restoredEpoch).toBe(epoch);
    expect(await again.completion).toMatchObject({ status: 'finished', recordsIn: RECORDS - 250 });
    expect(written(place)).toEqual(EXPECTED);
  });

  it('given a savepoint of a late epoch and a new directory, when a checkpoint is written there, then its number is higher', async () => {
    using place = new Workplace();
    const rests = new Rests(100);
    const job = await running(place, rests, 100);
    await job.checkpoint();
    await job.checkpoint();
    expect(await job.savepoint(place.path('third'))).toMatchObject({ epoch: 3 });
    await job.cancel();
    const later = new Rests(200);
    const again = await environment(place, 'others', later).submit({ from: place.path('third') });
    await later.reached(200);
    expect(await again.checkpoint()).toMatchObject({ epoch: 4 });
    await again.cancel();
  });

  it('given two that are asked for at once, beside checkpoints that follow each other without a pause, when both are there, then each can be gone on from', async () => {
    using place = new Workplace();
    const rests = new Rests(100);
    const env = environment(place, undefined, rests, { checkpoint: { dir: place.path('checkpoints'), intervalMs: 0.001 } });
    const job = await env.submit();
    await rests.reached(100);
    const [one, two] = await Promise.all([job.savepoint(place.path('one')), job.savepoint(place.path('two'))]);
    expect([one.epoch, two.epoch]).toEqual([expect.any(Number), expect.any(Number)]);
    expect(await job.checkpoint()).toMatchObject({ epoch: expect.any(Number) as unknown });
    await job.cancel();
    expect(readFileSync(place.path('one')).length).toBe(one.bytes);
    const again = await environment(place, 'others', new Rests()).submit({ from: place.path('two') });
    await again.completion;
    expect(written(place)).toEqual(EXPECTED);
  });

  it('given a file that is there, or no folder that could be made, when it is called, then it is refused, nothing is changed, and the job goes on', async () => {
    using place = new Workplace();
    const rests = new Rests(100);
    const job = await running(place, rests, 100);
    writeFileSync(place.path('mine'), 'mine');
    await expect(job.savepoint(place.path('mine'))).rejects.toMatchObject({ code: 'SAGE_IO_EXISTS', message: expect.stringContaining('mine exists already') as unknown });
    await expect(job.savepoint(place.path('mine/below'))).rejects.toMatchObject({ code: 'SAGE_IO_NOT_A_FILE' });
    await expect(job.savepoint('')).rejects.toMatchObject({ code: 'SAGE_PLAN_ARGUMENT' });
    expect(place.read('mine', true)).toBe('mine');
    expect(job.metrics().checkpoints).toMatchObject({ completed: 0, failed: 0 });
    rests.goOn(100);
    await job.completion;
    expect(written(place)).toEqual(EXPECTED);
    await expect(job.savepoint(place.path('late'))).rejects.toMatchObject({ code: 'SAGE_JOB_STATE' });
    expect(existsSync(place.path('late'))).toBe(false);
  });

  it('given a job that is cancelled before it is written, when it was asked for, then it rejects and no file is there', async () => {
    using place = new Workplace();
    const rests = new Rests(100);
    const job = await running(place, rests, 100);
    const first = job.savepoint(place.path('first')).catch((error: unknown) => error);
    await job.cancel();
    expect(await first).toMatchObject({ code: expect.stringMatching(/^SAGE_JOB_/) as unknown });
    expect(place.names('first')).toEqual([]);
  });
});

describe('stop({ savepoint })', () => {
  it.each([1, 3])('given a job that runs, when it was stopped so, then another job goes on from the file with %i instances', async (parallelism) => {
    using place = new Workplace();
    const job = await running(place, new Rests(300), 300, { parallelism: 2 });
    expect(await job.stop({ savepoint: place.path('deep/last') })).toMatchObject({ status: 'stopped', recordsIn: 300 });
    expect(readdirSync(place.path('deep'))).toEqual(['last']);
    expect(written(place)).toHaveLength(300);

    const again = await environment(place, 'others', new Rests(), { parallelism }).submit({ from: place.path('deep/last') });
    expect(await again.completion).toMatchObject({ status: 'finished', recordsIn: 300 });
    expect(written(place)).toEqual(EXPECTED);
  });

  it('given a checkpoint under way, when it is called, then the savepoint is that of the end', async () => {
    using place = new Workplace();
    const job = await running(place, new Rests(300), 300);
    await job.checkpoint(); // so that it has started
    const checkpoint = job.checkpoint();
    await setImmediate(); // it has been asked for in the core
    const [{ epoch }] = await Promise.all([checkpoint, job.stop({ savepoint: place.path('last') })]);
    const again = await environment(place, 'others', new Rests()).submit({ from: place.path('last') });
    expect(again.metrics().checkpoints?.restoredEpoch).toBe(epoch + 1);
    await again.completion;
    expect(written(place)).toEqual(EXPECTED);
  });

  it('given the JobManager, when it stops a job so, then the file is there', async () => {
    using place = new Workplace();
    const job = await running(place, new Rests(300), 300);
    const manager = JobManager.instance();
    expect(await manager.stopJob(job.id, { savepoint: place.path('last') })).toMatchObject({ status: 'stopped' });
    expect(existsSync(place.path('last'))).toBe(true);
    await expect(manager.stopJob(job.id, { savepoint: place.path('later') })).rejects.toMatchObject({ code: 'SAGE_JOB_STATE' });
  });

  it('given a path that cannot be, or drain, when it is called, then it is refused and the job goes on', async () => {
    using place = new Workplace();
    const rests = new Rests(100);
    const job = await running(place, rests, 100);
    writeFileSync(place.path('mine'), 'mine');
    await expect(job.stop({ savepoint: place.path('mine') })).rejects.toMatchObject({ code: 'SAGE_IO_EXISTS' });
    await expect(job.stop({ savepoint: place.path('first'), drain: true })).rejects.toMatchObject({ code: 'SAGE_PLAN_ARGUMENT', message: expect.stringContaining('drain and savepoint') as unknown });
    await expect(job.stop({ savepoint: '' })).rejects.toMatchObject({ code: 'SAGE_PLAN_ARGUMENT' });
    expect(job.status).toBe('running');
    rests.goOn(100);
    expect(await job.completion).toMatchObject({ status: 'finished' });
    expect(written(place)).toEqual(EXPECTED);
  });

  it('given a job that is being stopped, when a savepoint is asked for, then it is refused', async () => {
    using place = new Workplace();
    const job = await running(place, new Rests(100), 100);
    const stopped = job.stop();
    await expect(job.stop({ savepoint: place.path('first') })).rejects.toMatchObject({ code: 'SAGE_JOB_STATE', message: expect.stringContaining('stopped already') as unknown });
    expect(await stopped).toMatchObject({ status: 'stopped' });
  });

  it('given a job that has failed and waits to start again, when it is stopped so, then one more attempt writes the savepoint', async () => {
    using place = new Workplace();
    const build = (checkpoints: string, fail: () => void, rests: Rests): LocalEnvironment => {
      const env = new LocalEnvironment('failing', { checkpoint: { dir: place.path(checkpoints) }, restart: { kind: 'fixed', attempts: 1, delayMs: 3_600_000 } });
      env.fromSource(numbersWith(rests)).uid('numbers').map((n) => (fail(), n)).keyBy((n) => n % KEYS).process(Numbered).uid('numbered').sink(new JsonLinesSink(place.path('out-{part}.jsonl')), { uid: 'out' });
      return env;
    };
    let left = 200;
    const job = await build('checkpoints', () => { if (--left === 0) throw new Error('it was to fail here'); }, new Rests()).submit();
    await expect.poll(() => job.status).toBe('restarting');
    await expect(job.stop({ savepoint: place.path('last') })).resolves.toMatchObject({ status: 'stopped', restarts: 1 });
    const again = await build('others', () => undefined, new Rests()).submit({ from: place.path('last') });
    await again.completion;
    expect(written(place)).toEqual(EXPECTED);
  });

  it('given a file that comes to its place meanwhile, when the job has stopped, then that stays, the error says so, and the last checkpoint is as good', async () => {
    using place = new Workplace();
    const job = await running(place, new Rests(300), 300);
    const stopped = job.stop({ savepoint: place.path('last') });
    writeFileSync(place.path('last'), 'mine');
    await expect(stopped).rejects.toMatchObject({ code: 'SAGE_IO_EXISTS' });
    expect(await job.completion).toMatchObject({ status: 'stopped' });
    expect(place.read('last', true)).toBe('mine');
    const again = await environment(place, 'checkpoints', new Rests()).submit({ from: 'latest' });
    await again.completion;
    expect(written(place)).toEqual(EXPECTED);
  });

  it('given a source that ends by itself right then, when the job is over, then the savepoint is there or the call says why it is not', async () => {
    using place = new Workplace();
    const rests = new Rests(RECORDS);
    const job = await running(place, rests, RECORDS);
    rests.goOn(RECORDS);
    const stopped = await job.stop({ savepoint: place.path('last') }).then(() => 'written', (error: unknown) => error);
    if (stopped === 'written') {
      const again = await environment(place, 'others', new Rests()).submit({ from: place.path('last') });
      await again.completion;
    } else expect(stopped).toMatchObject({ code: 'SAGE_JOB_STATE' });
    expect(written(place)).toEqual(EXPECTED);
  });
});
