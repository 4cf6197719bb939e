import { readField } from '../../functions/expressions/evaluate-expression.ts';
import { checkRecord } from '../../functions/expressions/linked-record.ts';
import { failingOperator } from '../../compiler/physical-plan.ts';
import { iteratorResult } from './iterator-result.ts';
import { keyIdentity } from './key-identity.ts';
import { readResults } from './read-results.ts';
import type { StageBindings } from './stage-bindings.ts';
import type { StageControl } from './stage-control.ts';
import type { JobFacts, TaskSpec } from './stage-factory.ts';
import type { RunnerHost } from './stage-runner.ts';

/** Counters that a task reports for each node: rows at roots, dropped or filtered, made by flatMap, left out and put aside by error policies. */
export const COUNTERS_PER_NODE = 5;

/** How often a record that is paused half way looks whether it may go on. */
const PAUSED_MS = 4;

/** What the functions of a task share, still without user functions; and its counters in one array. */
export function makeBindings(
  spec: TaskSpec,
  job: JobFacts,
  jobHandle: number,
  host: RunnerHost,
  control: StageControl,
): { readonly bindings: StageBindings; readonly counters: Float64Array } {
  const { stage } = spec;
  const size = stage.nodes.length;
  const counters = new Float64Array(size * COUNTERS_PER_NODE);
  const counter = (index: number): Float64Array => counters.subarray(index * size, (index + 1) * size);
  const forEachNode = <T>(): (T | undefined)[] => Array.from({ length: size }, () => undefined);
  const isPaused = (): boolean => host.core.jobStatus(jobHandle) === 'paused';
  const hasCredit = (): boolean => host.core.hasCredit(host.isolate, spec.task) === 1;
  const bindings: StageBindings = {
    stage,
    control,
    functions: forEachNode<unknown>(),
    contexts: forEachNode(),
    aggregators: forEachNode(),
    expressions: forEachNode(),
    writers: forEachNode(),
    keyed: forEachNode(),
    state: forEachNode(),
    holders: forEachNode(),
    batches: forEachNode(),
    gates: forEachNode(),
    indexes: forEachNode(),
    outputs: forEachNode(),
    collected: forEachNode(),
    linked: [],
    counts: counter(0),
    dropped: counter(1),
    emitted: counter(2),
    skipped: counter(3),
    dead: counter(4),
    checkKeyed: keyIdentity,
    readField,
    checkRecord,
    iteratorResult,
    logger: (node) => bindings.contexts[node]?.logger ?? job.logger.child({ operator: failingOperator(stage.nodes[node]!).name, instance: spec.instance }),
    wait: async (ms) => {
      await new Promise<void>((resolve, reject) => {
        const leave = (): void => {
          clearTimeout(timer);
          reject(job.signal.reason);
        };
        const timer = setTimeout(() => {
          job.signal.removeEventListener('abort', leave);
          resolve();
        }, ms);
        if (job.signal.aborted) leave();
        else job.signal.addEventListener('abort', leave, { once: true });
      });
      while (isPaused()) {
        await new Promise((resolve) => setTimeout(resolve, PAUSED_MS));
        job.signal.throwIfAborted();
      }
    },
    room: async () => {
      for (let waitMs = 0; !hasCredit() || isPaused(); waitMs = Math.min(PAUSED_MS, waitMs + 1)) {
        await new Promise((resolve) => setTimeout(resolve, waitMs));
        job.signal.throwIfAborted();
      }
      control.stop = false;
    },
    isHeldUp: () =>
      performance.now() >= control.turnDueMs || (control.stop && (!hasCredit() || bindings.holders.some((holder) => holder?.isFull === true))),
    turn: async () => {
      do {
        await new Promise((resolve) => setImmediate(resolve));
        job.signal.throwIfAborted();
        if (isPaused()) await new Promise((resolve) => setTimeout(resolve, PAUSED_MS));
      } while (isPaused());
    },
    readResults: (node, results) => readResults(stage.nodes[node]!.op, results),
  };
  return { bindings, counters };
}
