import { KEY_GROUPS } from '../../compiler/compile-options.ts';
import { operatorId } from '../../compiler/execution/operator-id.ts';
import { OPERATOR_HAD_ENDED } from '../native/core.ts';
import { RestoredState } from '../checkpoint/restored-state.ts';
import { TaskStateWriter } from '../checkpoint/task-state-writer.ts';
import type { StatePart } from '../checkpoint/state-part.ts';
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
  /** Made with the first barrier. */
  #writer: TaskStateWriter | undefined;

  constructor(task: number, bindings: StageBindings, host: Pick<RunnerHost, 'core' | 'isolate'>) {
    this.#task = task;
    this.#bindings = bindings;
    this.#host = host;
  }

  /** Hands over what the parts are now: everything that came before the barrier is in them, or has left. The barrier goes on. */
  pass(): void {
    const { barrier } = this;
    if (barrier === undefined) return;
    this.barrier = undefined;
    this.#handOver(barrier.epoch, this.#bindings.stateParts);
  }

  /** The task has ended: what stays of it in all later epochs. Nothing of what it has by key is asked for again. */
  finish(): void {
    this.#handOver(FINISHED, this.#bindings.stateParts.filter(({ kind }) => kind === 'own'));
  }

  #handOver(epoch: number, parts: readonly StatePart[]): void {
    const { core, isolate } = this.#host;
    this.#writer ??= new TaskStateWriter(core, KEY_GROUPS);
    // After an epoch that failed there is none, and everything is handed over.
    const isOnTop = epoch !== FINISHED && this.#last !== FINISHED && core.checkpointBase(isolate) === this.#last;
    this.#last = epoch;
    core.checkpointAcknowledge(isolate, this.#task, epoch, this.#writer.write(parts, isOnTop));
  }

  /** Gives the parts what the epoch that the job goes on from has of them, if it goes on from one, and notes who had come to his end in it. */
  restore(job: number, instance: number): void {
    const { core } = this.#host;
    if (core.checkpointRestored(job) < 0) return;
    const restored = new RestoredState(core, job, instance, this.#bindings.stage.parallelism);
    for (const part of this.#bindings.stateParts) restored.restore(part);
    for (const { id, operator } of this.#bindings.stage.nodes) {
      if (core.checkpointOperator(job, operatorId(operator)) === OPERATOR_HAD_ENDED) this.#bindings.hadEnded.add(id);
    }
  }
}
