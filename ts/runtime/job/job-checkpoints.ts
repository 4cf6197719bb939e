import { type SageError, toSageError } from '../../common/errors.ts';
import type { CheckpointMetrics, CheckpointSummary } from '../../transformations/job.ts';
import type { EnvironmentConfig } from '../../transformations/environment-config.ts';
import { DEFAULT_RETAINED, type RestoreOptions } from '../../transformations/checkpoint-settings.ts';

/** What the core says when an epoch begins, and when it has ended. */
export interface EpochEvent {
  readonly event: 'epoch';
  readonly epoch: number;
  readonly state: 'begun' | 'completed' | 'failed';
  readonly bytes?: number;
  readonly durationMs?: number;
  readonly alignmentMs?: number;
  readonly error?: { readonly code: string; readonly message: string };
}

/** The settings of a job's checkpoints for the core, as JSON; nothing for a job without. */
export function checkpointsJson({ checkpoint }: EnvironmentConfig, { from, allowDropped = false }: RestoreOptions): string | undefined {
  if (checkpoint === undefined) return undefined;
  const { dir, intervalMs, minPauseMs = 0, retained = DEFAULT_RETAINED } = checkpoint;
  return JSON.stringify({
    directory: dir,
    ...(intervalMs === undefined ? {} : { intervalMs }),
    minPauseMs,
    retained,
    from: from === undefined ? 'none' : from === 'latest' ? 'latest' : { path: from },
    allowDropped,
  });
}

/** What has become of the checkpoints of a job, over all of its attempts. */
export class JobCheckpoints {
  #completed = 0;
  #failed = 0;
  #last: EpochEvent | undefined;
  #restoredEpoch: number | undefined;
  readonly #waiting = new Set<PromiseWithResolvers<EpochEvent>>();

  /** Whether the job has written one by itself, so that its directory has something of this job to go on from. */
  get hasCompleted(): boolean {
    return this.#completed > 0;
  }

  get metrics(): CheckpointMetrics {
    return {
      completed: this.#completed,
      failed: this.#failed,
      lastBytes: this.#last?.bytes,
      lastDurationMs: this.#last?.durationMs,
      lastAlignmentMs: this.#last?.alignmentMs,
      restoredEpoch: this.#restoredEpoch,
    };
  }

  /** An attempt goes on from this epoch; -1 for none. */
  restored(epoch: number): void {
    this.#restoredEpoch = epoch < 0 ? undefined : epoch;
  }

  note(event: EpochEvent): void {
    if (event.state === 'begun') return;
    if (event.state === 'completed') {
      this.#completed++;
      this.#last = event;
    } else this.#failed++;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const { resolve } of waiting) resolve(event);
  }

  /** An attempt has ended: what was begun there ends no more. */
  leave(reason: SageError): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(reason);
  }

  /**
   * Has an epoch written.
   *
   * @param begin begins one: its number, or -1 while another one is in flight
   */
  async write(begin: () => number): Promise<CheckpointSummary> {
    for (;;) {
      const epoch = begin();
      const ended = epoch < 0 ? await this.#next() : await this.#endOf(epoch);
      if (epoch < 0) continue;
      if (ended.state === 'failed') throw toSageError(new Error(JSON.stringify(ended.error ?? { code: 'SAGE_INTERNAL', message: `the checkpoint ${epoch} could not be written` })));
      return { epoch, bytes: ended.bytes ?? 0, durationMs: ended.durationMs ?? 0 };
    }
  }

  async #endOf(epoch: number): Promise<EpochEvent> {
    for (;;) {
      const event = await this.#next();
      if (event.epoch === epoch) return event;
    }
  }

  #next(): Promise<EpochEvent> {
    const waiting = Promise.withResolvers<EpochEvent>();
    this.#waiting.add(waiting);
    return waiting.promise;
  }
}
