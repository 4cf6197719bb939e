import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';

import { loadCore } from '../../ts/runtime/native/load-core.ts';
import { runScript } from '../e2e/support/run-script.ts';
import { numbers } from '../e2e/support/run-to-array.ts';
import { outcomeOf } from './support/binding.ts';
import { NUMBER_LAYOUT, SENDER, numberImage, tinyGraph } from './support/tiny-job.ts';

const core = loadCore();
const polling = new URL('scripts/polling-worker.ts', import.meta.url);
const exiting = fileURLToPath(new URL('scripts/exits-while-workers-wait.ts', import.meta.url));

const workers: Worker[] = [];
afterEach(async () => void (await Promise.all(workers.splice(0).map((worker) => worker.terminate()))));

const nextMessage = (worker: Worker): Promise<unknown> =>
  new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });

/** A worker that has attached itself as isolate 1 of the job, and sleeps in the core. */
async function pollingWorker(job: number): Promise<Worker> {
  const worker = new Worker(polling, { workerData: { job, isolate: 1 } });
  workers.push(worker);
  expect(await nextMessage(worker)).toBe('attached');
  return worker;
}

describe('several threads and one core', () => {
  it('a worker takes what the main thread sends, through handles that both know', async () => {
    const job = core.createJob(tinyGraph());
    const worker = await pollingWorker(job);
    const total = nextMessage(worker);
    const isolate = core.attachIsolate(job, 0);
    const layout = core.internLayout(job, NUMBER_LAYOUT);
    let credit = 0;
    for (let n = 0; n < 2000; n++) {
      while (credit === 0) credit = core.poll(isolate, -1, 50) === SENDER ? 1 : 0;
      credit = core.emit(isolate, SENDER, 0, numberImage(layout, [n, 0.5]));
      if (credit === 0) core.release(isolate, SENDER);
    }
    while (credit === 0) credit = core.poll(isolate, -1, 50) === SENDER ? 1 : 0;
    core.finishTask(isolate, SENDER);
    expect(await total).toBe(numbers(2000).reduce((a, b) => a + b + 0.5, 0));
    expect(core.jobStatus(job)).toBe('finished');
    core.dropJob(job);
  });

  it('a panic in one thread is an error there, and the other goes on', async () => {
    const job = core.createJob(tinyGraph());
    const worker = await pollingWorker(job);
    const isolate = core.attachIsolate(job, 0);
    expect(outcomeOf('testPanic', [])).toMatchObject({ code: 'SAGE_INTERNAL' });
    expect(core.poll(isolate, -1, 50)).toBe(SENDER);
    core.finishTask(isolate, SENDER);
    expect(await nextMessage(worker)).toBe(0);
    core.dropJob(job);
  });

  it('dropping the job wakes who waits for it', async () => {
    const job = core.createJob(tinyGraph());
    const worker = await pollingWorker(job);
    const total = nextMessage(worker);
    core.dropJob(job);
    expect(await total).toBe(0);
  });
});

describe('the end of a thread that sleeps in the core', () => {
  it('terminate() takes less than 200 ms', async () => {
    const durations: number[] = [];
    for (let n = 0; n < 5; n++) {
      const job = core.createJob(tinyGraph());
      const isolate = core.attachIsolate(job, 0);
      const worker = await pollingWorker(job);
      const startedMs = performance.now();
      expect(await worker.terminate()).toBe(1);
      durations.push(performance.now() - startedMs);
      // Its isolate went with it: the job lives, and can be ended.
      expect(core.jobStatus(job)).toBe('running');
      expect(core.poll(isolate, -1, 0)).toBe(SENDER);
      core.dropJob(job);
    }
    // The machine may have something else to do at one of them.
    expect(durations.toSorted((a, b) => a - b)[2]).toBeLessThan(200);
  });

  it('process.exit() ends the process at once, with its code', async () => {
    let exitingSinceMs = 0;
    const { code, signal, stderr } = await runScript(exiting, [], {
      onOutput: (stdout) => {
        if (exitingSinceMs === 0 && stdout.includes('exiting')) exitingSinceMs = performance.now();
      },
    });
    expect({ code, signal, stderr }).toEqual({ code: 7, signal: null, stderr: '' });
    expect(performance.now() - exitingSinceMs).toBeLessThan(2_000);
  });
});
