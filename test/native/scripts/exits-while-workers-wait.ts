// Ends its process by process.exit() while its workers sleep in the core.
import { Worker } from 'node:worker_threads';

import { loadCore } from '../../../ts/runtime/native/load-core.ts';
import { tinyGraph } from '../support/tiny-job.ts';

const core = loadCore();
for (let n = 0; n < 3; n++) {
  const job = core.createJob(tinyGraph());
  core.attachIsolate(job, 0);
  const worker = new Worker(new URL('polling-worker.ts', import.meta.url), { workerData: { job, isolate: 1 } });
  await new Promise((resolve) => worker.once('message', resolve));
}
process.stdout.write('exiting\n', () => process.exit(7));
