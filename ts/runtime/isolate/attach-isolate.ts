import { atOperator, type SageError, toSageError } from '../../common/errors.ts';
import type { Clock } from '../../common/clock.ts';
import type { PhysicalPlan } from '../../compiler/physical-plan.ts';
import { LayoutCache } from '../codec/batch-reader.ts';
import type { AtWork } from './at-work.ts';
import type { InstanceMetrics } from './instance-metrics.ts';
import type { Core } from '../native/core.ts';
import { type JobFacts, createTask } from '../stage/stage-factory.ts';
import type { RunnerHost } from '../stage/runner-host.ts';
import type { Schedule } from './schedule.ts';
import { IsolateLoop, type IsolateTask } from './isolate-loop.ts';
import type { DurableEpochs } from './durable-epochs.ts';
import type { EarlyEnds } from './early-ends.ts';
import type { StateReads } from './state-reads.ts';

/** What one isolate runs of a job. */
export interface IsolateAssignment {
  readonly core: Core;
  readonly job: number;
  /** 0 for the main isolate. */
  readonly isolate: number;
  readonly physical: PhysicalPlan;
  readonly tasks: readonly { readonly task: number; readonly stage: number; readonly instance: number }[];
  readonly facts: Omit<JobFacts, 'exchanges'>;
  readonly stopping: Promise<void>;
  /** Of the job. */
  readonly clock: Clock;
  /** Of a job under the control of a test. */
  readonly schedule?: Schedule | undefined;
  readonly onError: (error: SageError) => void;
  /** An operator that limits all records lets no more pass. */
  readonly onLimit: (operator: number) => void;
  /** Told of what user code counts. */
  readonly onMetrics: (metrics: readonly InstanceMetrics[]) => void;
  /** Says which operators have nothing left to do. */
  readonly earlyEnds: EarlyEnds;
  /** Says which checkpoints are safe on disk. */
  readonly durableEpochs: DurableEpochs;
  /** The sinks of the tasks have committed everything, or never will; their functions are still to be closed. */
  readonly onSettled: () => void;
  /** Reads keyed state of the tasks. */
  readonly stateReads: StateReads;
  /** Told which task is at work; nobody looks at the main isolate. */
  readonly atWork?: AtWork | undefined;
}

/** Attaches this isolate to the job, builds its tasks and runs them; resolves when they are closed. */
export async function runIsolate(assignment: IsolateAssignment): Promise<void> {
  const { core, job, isolate, physical, facts } = assignment;
  const registry = {
    internLayout: (text: string) => core.internLayout(job, text),
    layoutText: (id: number) => core.layoutText(job, id),
    internShape: (text: string) => core.internShape(job, text),
    shapeText: (id: number) => core.shapeText(job, id),
  };
  const tasks = new Map<number, IsolateTask>();
  const onError = (error: unknown, task: number): SageError => {
    const stage = assignment.tasks.find((candidate) => candidate.task === task)?.stage;
    const where = stage === undefined ? undefined : { operator: physical.stages[stage]!.name };
    const known = toSageError(error, where);
    const sage = where === undefined ? known : atOperator(known, where);
    assignment.onError(sage);
    return sage;
  };
  // The core may call before there is a loop: the tasks are built with the handle that it gives.
  const wakes: { loop?: IsolateLoop } = {};
  const handle = core.attachIsolate(job, isolate, () => wakes.loop?.wakeByCore());
  try {
    const host: RunnerHost = {
      core,
      isolate: handle,
      layouts: new LayoutCache(registry),
      stopping: assignment.stopping,
      clock: assignment.clock,
      schedule: assignment.schedule,
      fail: onError,
      ready: (task) => wakes.loop?.ready(task),
      worked: () => wakes.loop?.worked(),
      limitReached: assignment.onLimit,
      onEarlyEnd: (end) => assignment.earlyEnds.onEnd(end),
      onDurable: (told) => assignment.durableEpochs.onDurable(told),
    };
    for (const { task, stage, instance } of assignment.tasks) {
      const built = createTask(
        { task, stage: physical.stages[stage]!, instance },
        { ...facts, exchanges: physical.exchanges },
        job,
        host,
      );
      tasks.set(task, built);
    }
  } catch (error) {
    onError(error, -1);
  }
  const loop = new IsolateLoop({ core, job, isolate: handle, tasks, mayBlock: isolate > 0, clock: assignment.clock, schedule: assignment.schedule, stopping: assignment.stopping, signal: facts.signal, onError, onMetrics: assignment.onMetrics, onSettled: assignment.onSettled, atWork: assignment.atWork });
  wakes.loop = loop;
  assignment.stateReads.connect((question) => [...tasks.values()].flatMap((task) => task.readState(question)));
  try {
    await loop.run();
  } finally {
    assignment.stateReads.forget();
    assignment.earlyEnds.forget();
    assignment.durableEpochs.forget();
    core.detachIsolate(handle);
  }
}
