/**
 * The first module of a worker thread: it builds the job's pipeline again from the user's module, makes sure that it is the
 * same one, and runs this isolate's tasks.
 */
import { fileURLToPath } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';

import { systemClock } from '../../common/clock.ts';
import { SageError, toSageError } from '../../common/errors.ts';
import { compile } from '../../compiler/compile.ts';
import { fingerprint } from '../../compiler/fingerprint/fingerprint.ts';
import { describeDifference, firstDifference } from '../../compiler/fingerprint/first-difference.ts';
import type { StreamEnvironment } from '../../transformations/stream-environment.ts';
import { runIsolate } from '../isolate/attach-isolate.ts';
import { DurableEpochs } from '../isolate/durable-epochs.ts';
import { EarlyEnds } from '../isolate/early-ends.ts';
import { type StateQuestion, StateReads } from '../isolate/state-reads.ts';
import { LogRelay } from '../logging/log-relay.ts';
import { loadCore } from '../native/load-core.ts';
import { enter } from './admission.ts';
import { registeredPipeline } from './pipeline-registry.ts';
import { serializeError } from './serialize-error.ts';
import type { FromWorker, ToWorker, WorkerAssignment } from './worker-protocol.ts';
import { beginWorkerSession } from './worker-session.ts';

const assignment = workerData as WorkerAssignment;
const port = parentPort!;
const abort = new AbortController();
/** A program that takes longer to come to its submit is perhaps not on its way there. */
const NOTICE_AFTER_MS = 10_000;
let accepted = false;
let isRunning = false;
const earlyEnds = new EarlyEnds();
const durableEpochs = new DurableEpochs();
const stateReads = new StateReads();
let leaveSources!: () => void;
const stopping = new Promise<void>((resolve) => {
  leaveSources = resolve;
});

function send(message: FromWorker): void {
  port.postMessage(message);
}

const relay = new LogRelay(assignment.logs, (entry) => send({ type: 'log', entry }));

/** The thread is ended by the job when it hears this. */
function closed(): void {
  relay.end();
  send({ type: 'closed' });
}

function fail(error: unknown): void {
  const sage = toSageError(error);
  send({ type: 'failed', error: serializeError(sage) });
}

function readState(number: number, question: StateQuestion): void {
  try {
    send({ type: 'stateRead', number, answers: stateReads.read(question) });
  } catch (error) {
    // What the user's function keeps cannot always be copied, and the results of aggregators are user code.
    send({ type: 'stateFailed', number, error: serializeError(toSageError(error)) });
  }
}

port.on('message', (message: ToWorker) => {
  if (message.type === 'ask') {
    send({ type: 'alive' });
    return;
  }
  if (message.type === 'readState') {
    readState(message.number, message.question);
    return;
  }
  if (message.type === 'endEarly') {
    earlyEnds.end(message.operators);
    return;
  }
  if (message.type === 'durable') {
    durableEpochs.tell(message.epoch);
    return;
  }
  leaveSources();
  if (message.type !== 'cancel') return;
  abort.abort(new SageError('SAGE_JOB_CANCELED', `job '${assignment.jobName}' was cancelled`));
  // While the module is being imported there is nothing to close, and the import may never end.
  if (isRunning) send({ type: 'closing' });
  else closed();
});

// One of these would end the thread without a word of its functions' `close`; so the job fails, and then closes them.
process.on('uncaughtException', (error: unknown, origin) => {
  const what = origin === 'unhandledRejection' ? 'a rejection that nobody handles' : 'an exception that nobody catches';
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  fail(new SageError('SAGE_WORKER_DIED', `${what} in worker ${assignment.isolate} of job '${assignment.jobName}': ${reason}`, { cause: error }));
});

/** Runs this isolate's part of the pipeline that was built here. */
async function runPart(environment: StreamEnvironment): Promise<void> {
  const difference = firstDifference(assignment.fingerprint, fingerprint(environment.pipeline, environment.config));
  if (difference !== undefined) {
    throw new SageError('SAGE_GRAPH_MISMATCH', `worker ${assignment.isolate} built another pipeline than the main thread: ${describeDifference(difference)}`, {
      operator: difference.operator,
      declaredAt: difference.index === undefined ? undefined : environment.pipeline[difference.index]?.declaredAt,
    });
  }
  const { physical } = compile(environment.pipeline, environment.config, { importable: true, cores: assignment.cores, splits: assignment.splits });
  // The job has ended while this thread was being started: there is nothing left for it.
  if (!enter(assignment.admission)) return;
  isRunning = true;
  await runIsolate({
    core: loadCore(),
    job: assignment.job,
    isolate: assignment.isolate,
    physical,
    tasks: assignment.tasks,
    facts: { jobId: assignment.jobId, jobName: assignment.jobName, config: environment.config, signal: abort.signal, logger: relay.logger },
    stopping,
    clock: environment.config.clock ?? systemClock,
    onError: fail,
    onLimit: (operator) => send({ type: 'limit', operator }),
    onMetrics: (metrics) => send({ type: 'metrics', metrics }),
    earlyEnds,
    durableEpochs,
    onSettled: () => send({ type: 'settled' }),
    stateReads,
    atWork: assignment.atWork,
  });
}

async function accept(environment: StreamEnvironment): Promise<never> {
  // The job is that of the first submit; what a program submits beside it runs in the main thread alone.
  if (accepted) return new Promise<never>(() => undefined);
  accepted = true;
  port.ref();
  try {
    await runPart(environment);
    closed();
  } catch (error) {
    fail(error);
    closed();
  }
  // A script must not go on behind its submit: the thread is ended by the job.
  return new Promise<never>(() => undefined);
}

function importError(url: string, error: unknown): SageError {
  return new SageError('SAGE_WORKER_IMPORT', `a worker thread could not import ${url}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
}

/**
 * Resolves when nothing keeps this thread alive but its job: until then a program whose top level is done (`main()`, without
 * await) may still be on its way to its submit.
 */
function nothingLeftToDo(): Promise<void> {
  port.unref();
  // A server of the program, for instance, keeps the thread alive for ever.
  const notice = (): void => {
    if (!accepted) process.emitWarning(`worker ${assignment.isolate} of job '${assignment.jobName}' waits for the program to submit there as it did in the main thread`, 'SageWarning');
  };
  setTimeout(notice, NOTICE_AFTER_MS).unref();
  return new Promise((resolve) => {
    process.once('beforeExit', () => {
      port.ref();
      resolve();
    });
  });
}

async function build(): Promise<void> {
  const { origin } = assignment;
  if (origin.kind === 'none') throw new SageError('SAGE_INTERNAL', 'a pipeline without an origin was given to a worker thread');
  if (origin.kind === 'script') process.argv[1] = fileURLToPath(origin.url);
  try {
    await import(origin.url);
  } catch (error) {
    throw importError(origin.url, error);
  }
  if (origin.kind === 'script') {
    if (!accepted) await nothingLeftToDo();
    if (!accepted) throw importError(origin.url, new Error('it ended there without a submit'));
    return;
  }
  const builder = registeredPipeline(origin.url, origin.index);
  if (builder === undefined) throw importError(origin.url, new Error(`it defines no pipeline number ${origin.index} there`));
  await accept(await builder(assignment.jobName, assignment.config, origin.args));
}

beginWorkerSession({ accept });
send({ type: 'alive' });
try {
  await build();
} catch (error) {
  fail(error);
  closed();
}
