import { Worker } from 'node:worker_threads';

import { systemClock } from '../../common/clock.ts';
import { SageError } from '../../common/errors.ts';
import { isCloneable } from '../../common/is-cloneable.ts';
import { entryFile } from '../../common/package-paths.ts';
import { taskAtWork } from '../isolate/at-work.ts';
import type { InstanceMetrics } from '../isolate/instance-metrics.ts';
import type { StateAnswer, StateQuestion } from '../isolate/state-reads.ts';
import type { LogEntry } from '../../functions/logger.ts';
import { DEFAULT_STALL_TIMEOUT_MS } from '../../transformations/environment-config.ts';
import { lostEntry, receiveEntry } from '../logging/log-relay.ts';
import { hasEntered, shutOut } from './admission.ts';
import { deserializeError } from './serialize-error.ts';
import { StallWatch } from './stall-watch.ts';
import type { FromWorker, ToWorker, WorkerAssignment } from './worker-protocol.ts';

/** A worker whose event loop does not turn for so long after a cancel is in an endless loop: it is ended from outside. */
const NOTICE_DEADLINE_MS = 1_000;
/** A thread that is in a call of native code (`execSync`, reading a pipe) cannot be ended before that comes back. */
const GONE_DEADLINE_MS = 3_000;

/** A worker thread of a job, as the job sees it. */
export interface WorkerHandle {
  /** Resolves when the thread has closed its functions and is gone, or cannot be ended. */
  readonly closed: Promise<void>;
  /** Resolves when its sinks have committed everything, or never will. */
  readonly settled: Promise<void>;
  /** Tells it to leave its sources. */
  stop(): void;
  /** Tells it that the job is over: it closes its functions. One that does not even notice is terminated. */
  cancel(): void;
  /** Ends these operators, as if they had no more records to give. */
  endEarly(operators: readonly number[]): void;
  /** Tells it that a checkpoint is safe on disk; Infinity: that the job has come to its end. */
  tellDurable(epoch: number): void;
  /** What the operator's instances there hold for a key; nothing once the thread is gone. */
  readState(question: StateQuestion): Promise<readonly StateAnswer[]>;
  /** The job has ended: a thread that has opened nothing of the user's yet is ended, and no failure of it counts. */
  dismiss(): void;
  terminate(): void;
}

/** A worker thread that does not come back from user code. */
export interface Stall {
  /** How long it has been silent, in milliseconds. */
  readonly silentMs: number;
  /** Whether it still builds the pipeline: no function of the job was called there. */
  readonly isBuilding: boolean;
  /** The task whose step does not come back; nothing when it is code that no step has called. */
  readonly task: number | undefined;
}

/** What a worker tells its job. */
export interface WorkerListener {
  /** It has failed, or died before the job was over. */
  onError(error: SageError): void;
  /** It does not come back from user code, and is ended. */
  onStall(stall: Stall): void;
  /** A line of a logger in it. */
  onLog(entry: LogEntry): void;
  /** An operator that limits all records lets no more pass. */
  onLimit(operator: number): void;
  /** What user code counts, as it is now. */
  onMetrics(metrics: readonly InstanceMetrics[]): void;
}

/**
 * Starts a worker thread of a job.
 *
 * @param stallTimeoutMs after so long without a turn of its event loop it counts as dead, and is ended
 */
export function startWorker(assignment: WorkerAssignment, stallTimeoutMs: number, listener: WorkerListener): WorkerHandle {
  const onError = (error: SageError): void => listener.onError(error);
  const closed = Promise.withResolvers<void>();
  const settled = Promise.withResolvers<void>();
  void closed.promise.then(settled.resolve);
  const name = `worker ${assignment.isolate} of job '${assignment.jobName}'`;
  /** It has closed its functions, or was told to go: what it says from now on is no failure. */
  let isDone = false;
  let isGone = false;
  let isDismissed = false;
  let unnoticed: NodeJS.Timeout | undefined;
  let lingering: NodeJS.Timeout | undefined;
  /** Questions about state that have no answer yet, by their numbers. */
  const asked = new Map<number, PromiseWithResolvers<readonly StateAnswer[]>>();
  let nextQuestion = 0;
  const answered = (number: number): PromiseWithResolvers<readonly StateAnswer[]> | undefined => {
    const one = asked.get(number);
    asked.delete(number);
    return one;
  };
  let worker: Worker;
  try {
    worker = new Worker(entryFile('runtime/worker/worker-main'), { workerData: assignment, argv: process.argv.slice(2), name: `sage-${assignment.isolate}` });
  } catch (error) {
    onError(startError(name, assignment, error));
    return { closed: Promise.resolve(), settled: Promise.resolve(), stop: noop, cancel: noop, endEarly: noop, tellDurable: noop, readState: () => Promise.resolve([]), dismiss: noop, terminate: noop };
  }
  const watch = new StallWatch({
    timeoutMs: stallTimeoutMs,
    // What a call may take says nothing about how long it takes to load the program and all that it imports.
    atFirst: { timeoutMs: Math.max(stallTimeoutMs, DEFAULT_STALL_TIMEOUT_MS), holds: () => !hasEntered(assignment.admission) },
    // A thread hangs in real time, whatever clock the job goes by.
    clock: systemClock,
    mayBeSilent: isDebugged,
    ask: () => worker.postMessage({ type: 'ask' } satisfies ToWorker),
    onStall(silentMs) {
      if (isDone) return;
      const { admission, atWork } = assignment;
      listener.onStall({ silentMs, isBuilding: !hasEntered(admission), task: taskAtWork(atWork) });
      terminate();
    },
  });
  const terminate = (): void => {
    isDone = true;
    watch.stop();
    if (isGone) return;
    void worker.terminate();
    // No code of the job runs in it any more, whenever that is: the job need not wait for it.
    lingering ??= setTimeout(() => {
      process.emitWarning(`${name} hangs in a call outside JavaScript; its thread ends when that comes back`, { type: 'SageWarning' });
      closed.resolve();
    }, GONE_DEADLINE_MS);
  };
  worker.on('message', (message: FromWorker) => {
    switch (message.type) {
      case 'alive':
        if (!isDone) watch.heard();
        break;
      case 'failed':
        if (!isDismissed) onError(deserializeError(message.error));
        break;
      case 'metrics':
        listener.onMetrics(message.metrics);
        break;
      case 'stateRead':
        answered(message.number)?.resolve(message.answers);
        break;
      case 'stateFailed':
        answered(message.number)?.reject(deserializeError(message.error));
        break;
      case 'limit':
        listener.onLimit(message.operator);
        break;
      case 'log':
        listener.onLog(receiveEntry(message.entry, assignment.logs));
        break;
      case 'settled':
        settled.resolve();
        break;
      case 'closing':
        clearTimeout(unnoticed);
        break;
      case 'closed':
        terminate();
        break;
    }
  });
  worker.on('error', (error: Error & { code?: string }) => {
    if (isDone) return;
    const code = error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'SAGE_WORKER_OUT_OF_MEMORY' : 'SAGE_WORKER_DIED';
    onError(new SageError(code, `${name} died: ${error.message}`, { cause: error }));
  });
  worker.on('exit', (code) => {
    isGone = true;
    watch.stop();
    for (const { resolve } of asked.values()) resolve([]);
    asked.clear();
    const lost = lostEntry(assignment.logs);
    if (lost !== undefined) listener.onLog(lost);
    clearTimeout(unnoticed);
    clearTimeout(lingering);
    if (!isDone) onError(new SageError('SAGE_WORKER_DIED', `${name} ended with exit code ${code} before the job was over`));
    closed.resolve();
  });
  const post = (message: ToWorker): void => worker.postMessage(message);
  return {
    closed: closed.promise,
    settled: settled.promise,
    stop: () => post({ type: 'stop' }),
    endEarly: (operators) => post({ type: 'endEarly', operators }),
    tellDurable: (epoch) => post({ type: 'durable', epoch }),
    cancel() {
      post({ type: 'cancel' });
      if (isGone) return;
      unnoticed ??= setTimeout(terminate, NOTICE_DEADLINE_MS);
    },
    readState(question) {
      if (isGone) return Promise.resolve([]);
      const answer = Promise.withResolvers<readonly StateAnswer[]>();
      asked.set(nextQuestion, answer);
      post({ type: 'readState', number: nextQuestion++, question });
      return answer.promise;
    },
    dismiss() {
      if (!shutOut(assignment.admission)) return;
      isDismissed = true;
      terminate();
    },
    terminate,
  };
}

function startError(name: string, { config }: WorkerAssignment, error: unknown): SageError {
  const { name: kind, message } = error as Error;
  if (kind === 'DataCloneError') {
    const setting = Object.entries(config).find(([, value]) => !isCloneable(value))?.[0];
    const what = setting === undefined ? "the pipeline's arguments" : `the setting '${setting}'`;
    return new SageError('SAGE_PLAN_UNCLONEABLE', `${what} cannot be sent to ${name}: ${message}`, {
      help: 'Give settings and arguments that structuredClone can copy, and make the rest from them in the builder.',
      cause: error,
    });
  }
  return new SageError('SAGE_WORKER_START', `${name} could not be started: ${message}`, { cause: error });
}

/** Whether a debugger may hold threads at a breakpoint; a Node that was built without has none. */
function isDebugged(): boolean {
  return process.features.inspector && process.getBuiltinModule('node:inspector').url() !== undefined;
}

function noop(): void {}
