import { toSageError } from '../../common/errors.ts';
import { KEY_GROUPS } from '../../compiler/compile-options.ts';
import { operatorId } from '../../compiler/execution/operator-id.ts';
import { OPERATOR_HAD_ENDED } from '../native/core.ts';
import { RestoredState } from '../checkpoint/restored-state.ts';
import { TaskStateWriter } from '../checkpoint/task-state-writer.ts';
import type { StatePart } from '../checkpoint/state-part.ts';
import { serializeError } from '../worker/serialize-error.ts';
import type { RunnerHost } from './runner-host.ts';
import type { StageBindings } from './stage-bindings.ts';

/** Stands for all epochs behind the end of a task. */
const FINISHED = 0;

/** The barrier of an epoch that has come to a task. */
interface Barrier {
  readonly epoch: number;
  /** Behind it the job stops: what is in flight is finished first, and nothing fires. */
  readonly isLast: boolean;
}

/** Saves and restores what the parts of one task hold. */
export class TaskCheckpoints {
  /** The barrier that the task has still to let pass. */
  barrier: Barrier | undefined;
  readonly #task: number;
  readonly #bindings: StageBindings;
  readonly #host: Pick<RunnerHost, 'core' | 'isolate'>;
  /** The epoch that was handed over last. */
  #last = FINISHED;
  readonly #passed: ((epoch: number) => void)[] = [];
  /** Made with the first barrier. */
  #writer: TaskStateWriter | undefined;
  /** What cannot be saved is no failure of the job then: nobody has asked whether it can before there is a savepoint. */
  readonly #isSavepointsOnly: boolean;

  constructor(task: number, bindings: StageBindings, host: Pick<RunnerHost, 'core' | 'isolate'>, { savepointsOnly }: { readonly savepointsOnly: boolean }) {
    this.#isSavepointsOnly = savepointsOnly;
    this.#task = task;
    this.#bindings = bindings;
    this.#host = host;
  }

  /** Has `passed` called with each epoch for which the task hands over what it holds. */
  onPassed(passed: (epoch: number) => void): void {
    this.#passed.push(passed);
  }

  /** Hands over what the parts are now: everything that came before the barrier is in them, or has left. The barrier goes on. */
  pass(): void {
    const { barrier } = this;
    if (barrier === undefined) return;
    this.barrier = undefined;
    for (const passed of this.#passed) passed(barrier.epoch);
    const { core, isolate } = this.#host;
    try {
      this.#handOver(barrier.epoch, this.#bindings.stateParts);
    } catch (error) {
      if (!this.#isSavepointsOnly) throw error;
      const { code, message, context } = serializeError(toSageError(error));
      core.checkpointRefuse(isolate, this.#task, barrier.epoch, JSON.stringify({ code, message, context }));
    }
  }

  /** The task has ended: what stays of it in all later epochs. Nothing of what it has by key is asked for again. */
  finish(): void {
    try {
      this.#handOver(FINISHED, this.#bindings.stateParts.filter(({ kind }) => kind === 'own'));
    } catch (error) {
      // A savepoint knows of it that it has ended.
      if (!this.#isSavepointsOnly) throw error;
    }
  }

  #handOver(epoch: number, parts: readonly StatePart[]): void {
    const { core, isolate } = this.#host;
    this.#writer ??= new TaskStateWriter(core, KEY_GROUPS);
    // After an epoch that failed there is none, and everything is handed over.
    const isOnTop = epoch !== FINISHED && this.#last !== FINISHED && core.checkpointBase(isolate) === this.#last;
    this.#last = epoch;
    core.checkpointAcknowledge(isolate, this.#task, epoch, this.#writer.write(parts, isOnTop));
  }

  /** Gives the parts what the epoch that the job goes on from has of them, and notes who had come to his end in it. Whether it goes on from one. */
  restore(job: number, instance: number): boolean {
    const { core } = this.#host;
    if (core.checkpointRestored(job) < 0) return false;
    const restored = new RestoredState(core, job, instance, this.#bindings.stage.parallelism);
    for (const part of this.#bindings.stateParts) restored.restore(part);
    for (const { id, operator } of this.#bindings.stage.nodes) {
      if (core.checkpointOperator(job, operatorId(operator)) === OPERATOR_HAD_ENDED) this.#bindings.hadEnded.add(id);
    }
    return true;
  }
}
