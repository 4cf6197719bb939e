// A worker that runs one isolate of a job: takes numbers and adds them up, and otherwise sleeps in the core.
import { parentPort, workerData } from 'node:worker_threads';

import { loadCore } from '../../../ts/runtime/native/load-core.ts';
import { POLL_OVER, TAKE_BATCH, TAKE_END_DRAINED } from '../../../ts/runtime/native/core.ts';

const { job, isolate: index } = workerData as { job: number; isolate: number };
const core = loadCore();
const isolate = core.attachIsolate(job, index);
parentPort!.postMessage('attached');

// V8 looks at a terminate() when a function of JavaScript begins, but not each time that a loop without one begins again.
const poll = (released: number): number => core.poll(isolate, released, 50);

const desc = new Int32Array(4);
const into = new Uint8Array(1 << 20);
let sum = 0;
let released = -1;
for (;;) {
  const task = poll(released);
  if (task === POLL_OVER) break;
  released = task;
  if (task < 0) continue;
  for (;;) {
    const next = core.take(isolate, task, desc, into);
    if (next === TAKE_BATCH) {
      const at = new Int32Array(into.buffer)[4]!;
      sum += new Float64Array(into.buffer, at, desc[2]).reduce((a, b) => a + b, 0);
      continue;
    }
    if (next === TAKE_END_DRAINED) {
      core.finishTask(isolate, task);
      released = -1;
    }
    break;
  }
}
core.detachIsolate(isolate);
parentPort!.postMessage(sum);
