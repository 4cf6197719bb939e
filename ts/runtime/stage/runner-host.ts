import type { Clock } from '../../common/clock.ts';
import type { LayoutCache } from '../codec/batch-reader.ts';
import type { Schedule } from '../isolate/schedule.ts';
import type { Core } from '../native/core.ts';

/** What a runner needs of its isolate. */
export interface RunnerHost {
  readonly core: Core;
  /** Handle of the isolate in the core. */
  readonly isolate: number;
  readonly layouts: LayoutCache;
  /** Resolves when the job is told to stop or is over; pending sources are then left. */
  readonly stopping: Promise<void>;
  /** Of the job. */
  readonly clock: Clock;
  /** Of a job under the control of a test. */
  readonly schedule: Schedule | undefined;
  /** A task that may be resting has something to do. */
  ready(task: number): void;
  /** A task works on in the middle of a step. */
  worked(): void;
  /** An operator that limits all records lets no more pass. */
  limitReached(operator: number): void;
  /** Says which operators are to end as if they had no more records to give. */
  onEarlyEnd(end: (operators: ReadonlySet<number>) => void): void;
  /** Says which checkpoint is safe on disk; Infinity: the job has come to its end. */
  onDurable(told: (epoch: number) => void): void;
  /** Fails the job for what went wrong while none of its functions was at work. */
  readonly fail: (error: unknown, task: number) => void;
}
