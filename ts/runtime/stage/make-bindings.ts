import { startTimer } from '../../common/clock.ts';
import { type Stage, failingOperator } from '../../compiler/physical-plan.ts';
import { readField } from '../../functions/expressions/evaluate-expression.ts';
import { checkRecord } from '../../functions/expressions/linked-record.ts';
import { iteratorResult } from './iterator-result.ts';
import { keyIdentity } from './key-identity.ts';
import { readResults } from './read-results.ts';
import type { StageBindings } from './stage-bindings.ts';
import type { StageControl } from './stage-control.ts';
import type { JobFacts, TaskSpec } from './stage-factory.ts';
import type { RunnerHost } from './runner-host.ts';
import { realPace } from '../isolate/schedule.ts';
import { StageTimes } from './stage-times.ts';
import { TaskStates } from '../state/task-states.ts';

/** Counters that a task reports for each node: rows at roots, dropped or filtered, made by flatMap, left out and put aside by error policies; the watermark; rows that came too late; and those of the rows that error policies left out or put aside whose timestamp was too far ahead. */
export const COUNTERS_PER_NODE = 8;

/** How often a record that is paused half way looks whether it may go on. */
const PAUSED_MS = 4;

/** What the functions of a task share, still without user functions; and its counters in one array. */
export function makeBindings(
  spec: TaskSpec,
  job: JobFacts,
  jobHandle: number,
  host: RunnerHost,
  control: StageControl,
): { readonly bindings: StageBindings; readonly counters: () => Float64Array } {
  const { stage } = spec;
  const size = stage.nodes.length;
  const counters = new Float64Array(size * COUNTERS_PER_NODE);
  const counter = (index: number): Float64Array => counters.subarray(index * size, (index + 1) * size);
  const forEachNode = <T>(): (T | undefined)[] => Array.from({ length: size }, () => undefined);
  const isPaused = (): boolean => host.core.jobStatus(jobHandle) === 'paused';
  const hasCredit = (): boolean => host.core.hasCredit(host.isolate, spec.task) === 1;
  const pace = host.schedule?.pace() ?? realPace;
  const waiting = { byClock: 0, forCalls: 0 };
  const bindings: StageBindings = {
    stage,
    control,
    clock: host.clock,
    pace,
    waiting,
    onTimer: job.onTimer,
    functions: forEachNode<unknown>(),
    contexts: forEachNode(),
    states: new TaskStates(),
    aggregators: forEachNode(),
    expressions: forEachNode(),
    writers: forEachNode(),
    keyed: forEachNode(),
    state: forEachNode(),
    holders: forEachNode(),
    batches: forEachNode(),
    gates: forEachNode(),
    assigners: forEachNode(),
    ends: forEachNode(),
    timedOutputs: forEachNode(),
    times: hasTimes(stage) ? new StageTimes(stage) : undefined,
    indexes: forEachNode(),
    outputs: forEachNode(),
    collected: forEachNode(),
    linked: [],
    stateParts: [],
    hadEnded: new Set(),
    transactions: forEachNode(),
    counts: counter(0),
    dropped: counter(1),
    emitted: counter(2),
    skipped: counter(3),
    dead: counter(4),
    late: counter(6),
    ahead: counter(7),
    checkKeyed: keyIdentity,
    isPaused,
    readField,
    checkRecord,
    iteratorResult,
    logger: (node) => bindings.contexts[node]?.logger ?? job.logger.child({ operator: failingOperator(stage.nodes[node]!).name, instance: spec.instance }),
    wait: async (ms) => {
      waiting.byClock++;
      host.schedule?.waitsForClock();
      await new Promise<void>((resolve, reject) => {
        const leave = (): void => {
          stop();
          reject(job.signal.reason);
        };
        const stop = startTimer(host.clock, ms, () => {
          job.signal.removeEventListener('abort', leave);
          resolve();
        });
        if (job.signal.aborted) leave();
        else job.signal.addEventListener('abort', leave, { once: true });
      }).finally(() => waiting.byClock--);
      while (isPaused()) {
        await new Promise((resolve) => setTimeout(resolve, PAUSED_MS));
        job.signal.throwIfAborted();
      }
    },
    restSource: host.schedule === undefined ? () => new Promise((resolve) => setTimeout(resolve, 1)) : () => Promise.race([bindings.wait(1), host.stopping]),
    room: async () => {
      for (let waitMs = 0; !hasCredit() || isPaused(); waitMs = Math.min(PAUSED_MS, waitMs + 1)) {
        await new Promise<void>((resolve) => {
          if (host.schedule === undefined) setTimeout(resolve, waitMs);
          else host.schedule.deferred.push(resolve);
        });
        job.signal.throwIfAborted();
      }
      control.stop = false;
    },
    isHeldUp: () =>
      pace.nowMs() >= control.turnDueMs || (control.stop && (!hasCredit() || bindings.holders.some((holder) => holder?.isFull === true))),
    turn: async () => {
      do {
        await new Promise((resolve) => setImmediate(resolve));
        job.signal.throwIfAborted();
        if (isPaused()) await new Promise((resolve) => setTimeout(resolve, PAUSED_MS));
      } while (isPaused());
    },
    readResults: (node, results) => readResults(stage.nodes[node]!.op, results),
  };
  const watermarks = counter(5).fill(Number.NaN);
  return {
    bindings,
    counters: () => {
      const { times } = bindings;
      // JSON, by which the core gives them back, has no infinite numbers.
      if (times !== undefined) watermarks.forEach((_, id) => (watermarks[id] = Math.min(Number.MAX_VALUE, Math.max(-Number.MAX_VALUE, times.leaving(id)))));
      return counters;
    },
  };
}

/** Whether records of the stage have an event time that something needs. */
function hasTimes({ nodes }: Stage): boolean {
  return nodes.some(({ op }) => op.kind === 'assignTimestamps' || (op.kind === 'input' && op.timed));
}
