import { type SageError, toSageError } from '../../common/errors.ts';
import type { CheckpointMetrics, CheckpointSummary, SavepointSummary } from '../../transformations/job.ts';
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

/** What the core says when a savepoint was written, or could not be. */
export interface SavepointEvent {
  readonly event: 'savepoint';
  readonly epoch: number;
  readonly path: string;
  readonly bytes: number;
  readonly durationMs: number;
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
  /** Those that are written while the job goes on, by their epoch. */
  readonly #savepoints = new Map<number, PromiseWithResolvers<SavepointSummary>>();
  /** The one that the job stops with. */
  #lastSavepoint: (PromiseWithResolvers<SavepointSummary> & { readonly path: string }) | undefined;

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

  note(event: EpochEvent | SavepointEvent): void {
    if (event.event === 'savepoint') {
      this.#noteSavepoint(event);
      return;
    }
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
    const savepoints = [...this.#savepoints.values()];
    this.#savepoints.clear();
    for (const { reject } of [...waiting, ...savepoints]) reject(reason);
  }

  /** The job has ended: there is no savepoint any more. */
  end(reason: SageError): void {
    this.failLastSavepoint(reason);
  }

  /** What becomes of the savepoint that the job stops with, in this attempt or a later one. */
  lastSavepoint(path: string): Promise<SavepointSummary> {
    this.#lastSavepoint = { ...Promise.withResolvers<SavepointSummary>(), path };
    this.#lastSavepoint.promise.catch(() => undefined);
    return this.#lastSavepoint.promise;
  }

  failLastSavepoint(reason: SageError): void {
    this.#lastSavepoint?.reject(reason);
    this.#lastSavepoint = undefined;
  }

  #noteSavepoint(event: SavepointEvent): void {
    const { epoch, path, bytes, durationMs, error } = event;
    const last = this.#lastSavepoint;
    const waiting = last?.path === path ? last : this.#savepoints.get(epoch);
    if (error === undefined) waiting?.resolve({ path, epoch, bytes, durationMs });
    else waiting?.reject(toSageError(new Error(JSON.stringify(error))));
    if (waiting === last) this.#lastSavepoint = undefined;
    else this.#savepoints.delete(epoch);
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

  /**
   * Has an epoch written, and a copy of it.
   *
   * @param begin as that of `write`
   */
  async writeSavepoint(begin: () => number): Promise<SavepointSummary> {
    for (;;) {
      const epoch = begin();
      if (epoch < 0) {
        await this.#next();
        continue;
      }
      const waiting = Promise.withResolvers<SavepointSummary>();
      this.#savepoints.set(epoch, waiting);
      return waiting.promise;
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
