import { resolve } from 'node:path';

import { SageError, toSageError } from '../../common/errors.ts';
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

type AwaitedSavepoint = PromiseWithResolvers<SavepointSummary> & { readonly path: string };

/** The same settings with the directory as an absolute path: the working directory of the process may be another one when the job starts again. */
export function withAbsolutePaths(config: EnvironmentConfig): EnvironmentConfig {
  const { checkpoint } = config;
  return checkpoint === undefined ? config : { ...config, checkpoint: { ...checkpoint, dir: resolve(checkpoint.dir) } };
}

/** The error for a job that is started again, and whose directory has nothing any more of what it had written: a start from nothing would read everything again. */
export function checkpointsGone(job: string, { checkpoint }: EnvironmentConfig): SageError {
  return new SageError('SAGE_IO_NOT_FOUND', `job '${job}' cannot start again: the checkpoints that it has written are gone from ${checkpoint?.dir}`, {
    help: 'Put the files back, and go on with submit({ from: \'latest\' }); or submit the job anew, which reads everything again.',
  });
}

/** What a job's checkpoints are for the core, as JSON; a job without has savepoints, when they are asked for. */
export function checkpointsJson({ checkpoint }: EnvironmentConfig, { from, allowDropped = false }: RestoreOptions): string {
  const start = from === undefined ? 'none' : from === 'latest' ? 'latest' : { path: from };
  if (checkpoint === undefined) return JSON.stringify({ savepointsOnly: true, from: start, allowDropped });
  const { dir, intervalMs, minPauseMs = 0, retained = DEFAULT_RETAINED } = checkpoint;
  return JSON.stringify({
    directory: dir,
    ...(intervalMs === undefined ? {} : { intervalMs }),
    minPauseMs,
    retained,
    from: start,
    allowDropped,
  });
}

/** Epochs that may end behind a call and were begun before it. */
const OTHER_EPOCHS = 2;

/** What has become of the checkpoints of a job, over all of its attempts. */
export class JobCheckpoints {
  #completed = 0;
  #failed = 0;
  #last: EpochEvent | undefined;
  #restoredEpoch: number | undefined;
  #savepointCount = 0;
  readonly #waiting = new Set<PromiseWithResolvers<EpochEvent>>();
  /** Those that are written while the job goes on, in the order in which they were asked for. */
  readonly #savepoints: AwaitedSavepoint[] = [];
  /** The one that the job stops with. */
  #lastSavepoint: AwaitedSavepoint | undefined;

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

  /** Savepoints that were written while the job goes on. */
  get savepoints(): number {
    return this.#savepointCount;
  }

  get restoredEpoch(): number | undefined {
    return this.#restoredEpoch;
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
    const savepoints = this.#savepoints.splice(0);
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
    const place = this.#savepoints.findIndex((awaited) => awaited.path === path);
    const awaited = place < 0 ? this.#lastSavepoint : this.#savepoints.splice(place, 1)[0];
    if (place < 0) this.#lastSavepoint = undefined;
    if (error === undefined) this.#savepointCount++;
    if (error === undefined) awaited?.resolve({ path, epoch, bytes, durationMs });
    else awaited?.reject(toSageError(new Error(JSON.stringify(error))));
  }

  /**
   * Has an epoch written.
   *
   * @param begin begins one: its number, or -1 while another one is in flight
   */
  async write(begin: () => number): Promise<CheckpointSummary> {
    for (let others = 0; ; others++) {
      const epoch = begin();
      const ended = epoch < 0 ? await this.#next() : await this.#endOf(epoch);
      // The first that ends may be the one before that under way, the second that itself. Where they follow each other closely the third will do: it
      // was begun behind this call, and there may never be a moment without one.
      if (epoch < 0 && others < OTHER_EPOCHS) continue;
      if (ended.state === 'failed') throw toSageError(new Error(JSON.stringify(ended.error ?? { code: 'SAGE_INTERNAL', message: `the checkpoint ${ended.epoch} could not be written` })));
      return { epoch: ended.epoch, bytes: ended.bytes ?? 0, durationMs: ended.durationMs ?? 0 };
    }
  }

  /**
   * Has an epoch written, and a copy of it.
   *
   * @param begin asks for it
   */
  async writeSavepoint(path: string, begin: () => void): Promise<SavepointSummary> {
    begin();
    const awaited = { ...Promise.withResolvers<SavepointSummary>(), path };
    this.#savepoints.push(awaited);
    return awaited.promise;
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
