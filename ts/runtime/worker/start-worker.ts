import { Worker } from 'node:worker_threads';

import { SageError } from '../../common/errors.ts';
import { entryFile } from '../../common/package-paths.ts';
import { deserializeError } from './serialize-error.ts';
import type { FromWorker, ToWorker, WorkerAssignment } from './worker-protocol.ts';

/** A worker thread of a job, as the job sees it. */
export interface WorkerHandle {
  /** Resolves when the thread has closed its functions, or is gone. */
  readonly closed: Promise<void>;
  post(message: ToWorker): void;
  terminate(): void;
}

/** Starts a worker thread of a job. `onError` is told when it fails or dies before the job is over. */
export function startWorker(assignment: WorkerAssignment, onError: (error: SageError) => void): WorkerHandle {
  let isClosed = false;
  let resolveClosed!: () => void;
  const closed = new Promise<void>((resolve) => {
    resolveClosed = () => {
      isClosed = true;
      resolve();
    };
  });
  let worker: Worker;
  try {
    worker = new Worker(entryFile('runtime/worker/worker-main'), { workerData: assignment, argv: process.argv.slice(2), name: `sage-${assignment.isolate}` });
  } catch (error) {
    onError(
      new SageError('SAGE_PLAN_UNCLONEABLE', `what worker threads need cannot be sent to them: ${(error as Error).message}`, { cause: error }),
    );
    return { closed: Promise.resolve(), post: () => undefined, terminate: () => undefined };
  }
  worker.on('message', (message: FromWorker) => {
    if (message.type === 'failed') onError(deserializeError(message.error));
    else {
      resolveClosed();
      void worker.terminate();
    }
  });
  worker.on('error', (error: Error & { code?: string }) => {
    if (isClosed) return;
    const memory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    onError(
      new SageError(
        memory ? 'SAGE_WORKER_OUT_OF_MEMORY' : 'SAGE_WORKER_DIED',
        `worker ${assignment.isolate} of job '${assignment.jobName}' died: ${error.message}`,
        { cause: error },
      ),
    );
  });
  worker.on('exit', (code) => {
    if (!isClosed) {
      onError(new SageError('SAGE_WORKER_DIED', `worker ${assignment.isolate} of job '${assignment.jobName}' ended with exit code ${code}`));
    }
    resolveClosed();
  });
  return { closed, post: (message) => worker.postMessage(message), terminate: () => void worker.terminate() };
}
