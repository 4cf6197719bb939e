import { randomUUID } from 'node:crypto';

import { type Clock, startTimer } from '../../common/clock.ts';
import { operatorError, type SageError } from '../../common/errors.ts';
import type { SourceLocation } from '../../common/source-location.ts';
import type { Transaction, TransactionalSink } from '../../functions/transactional-sink.ts';
import { type ErrorPolicy, retriesOf } from '../../transformations/error-policy.ts';
import type { PartOwner } from '../checkpoint/part-owner.ts';
import { type OwnStatePart, takenOver } from '../checkpoint/state-part.ts';
import { ownValuePart, type SavedValue } from '../checkpoint/value-parts.ts';
import type { StepPace } from '../isolate/schedule.ts';
import { isThenable } from './is-thenable.ts';
import { backoffMs } from './recovery.ts';

/** With so many transactions whose checkpoint is safe and whose commit has not come to its end, the sink waits before it prepares another. */
const MOST_COMMITS = 4;
/** With so many that wait for a checkpoint, one after the other has failed: the job is not to go on without an end. */
const MOST_PREPARED = 64;

/** When the job has failed or was cancelled, a commit that is under way has this long before its sink is closed; `close()` itself has 5 s. */
const LANDING_DEADLINE_MS = 2_000;

/** What was prepared, and has to be committed when its checkpoint is safe. */
interface Prepared {
  readonly transaction: Transaction;
  readonly handle: unknown;
}

/** Of one instance, in a checkpoint. */
export interface SavedTransactions {
  /** Prepared, and perhaps not committed. */
  readonly prepared: readonly Prepared[];
}

/** Where a transactional sink is, and what it can do there. */
export interface TransactionHost {
  readonly owner: PartOwner;
  readonly declaredAt: SourceLocation;
  readonly policy: ErrorPolicy | undefined;
  readonly clock: Clock;
  readonly pace: Pick<StepPace, 'random'>;
  /** Aborted when the job has failed or was cancelled. */
  readonly signal: AbortSignal;
  /** The epoch that the job goes on from; 0 for none. */
  readonly restoredEpoch: () => number;
  /** Makes the job's error of what `prepare` threw. */
  readonly failed: (error: unknown) => Error;
  /** Fails the job. */
  readonly fail: (error: unknown) => void;
}

/** The part of a sink's transactions in a checkpoint. */
export function transactionsPart(owner: PartOwner, save: () => SavedTransactions, restore: (saved: readonly SavedValue<SavedTransactions>[]) => void): OwnStatePart {
  return ownValuePart<SavedTransactions>(owner, { name: 'transactions', describe: () => 'what prepare() gave', save, restore });
}

/** What one instance of a `TransactionalSink` has prepared, and the commits of it: one by one, beside the steps of its task. */
export class SinkTransactions {
  readonly #sink: TransactionalSink;
  readonly #host: TransactionHost;
  /** Oldest first. */
  readonly #prepared: Prepared[] = [];
  #restored: readonly Prepared[] = [];
  /** The barrier for which it has prepared. */
  #lastEpoch: number | undefined;
  #hasEnded = false;
  /** Checkpoints up to this one are safe, as far as there are any. */
  #durable = 0;
  /** Never rejects. */
  #committing: Promise<void> | undefined;
  #hasFailed = false;
  #waiting: (() => void)[] = [];

  constructor(sink: TransactionalSink, host: TransactionHost) {
    this.#sink = sink;
    this.#host = host;
    host.signal.addEventListener('abort', this.#wake, { once: true });
  }

  get isCommitting(): boolean {
    return this.#committing !== undefined;
  }

  statePart(): OwnStatePart {
    const { owner } = this.#host;
    return transactionsPart(
      owner,
      () => ({ prepared: [...this.#prepared] }),
      (saved) => {
        this.#restored = takenOver(saved, owner.instance, owner.parallelism).flatMap(({ value }) => value.prepared);
      },
    );
  }

  /**
   * Ends the transaction at hand, for the checkpoint `epoch` or as the input has ended. A promise has to be awaited, and the call repeated; nothing
   * when all is done. It waits while too many commits are under way.
   */
  prepare(epoch: number | 'end'): Promise<void> | undefined {
    if (this.#hasEnded || this.#lastEpoch === epoch) return undefined;
    const first = this.#prepared[MOST_COMMITS - 1];
    if (epoch !== 'end' && first !== undefined && first.transaction.epoch <= this.#durable) return this.#changed();
    if (this.#prepared.length >= MOST_PREPARED) throw this.#tooMany();
    const { operator, instance } = this.#host.owner;
    const transaction: Transaction = { id: randomUUID(), operator, instance, epoch: epoch === 'end' ? this.#newestEpoch + 1 : epoch };
    if (epoch === 'end') this.#hasEnded = true;
    else this.#lastEpoch = epoch;
    let handle: unknown;
    try {
      handle = this.#sink.prepare(transaction);
    } catch (error) {
      throw this.#host.failed(error);
    }
    if (isThenable(handle)) return this.#awaitHandle(transaction, handle);
    this.#add(transaction, handle);
    return undefined;
  }

  /** Commits what the checkpoint that the job goes on from has, before the first record. */
  async recover(): Promise<void> {
    for (const one of this.#restored) await this.#commit(one);
    this.#restored = [];
    try {
      await this.#sink.recovered?.();
    } catch (error) {
      throw this.#lifecycleError('recovered', error);
    }
  }

  /** A checkpoint is safe on disk, and all before it that there are; Infinity when the job has come to its end. */
  durable(epoch: number): void {
    this.#durable = Math.max(this.#durable, epoch);
    if (!this.#hasNext || this.#committing !== undefined) return;
    this.#committing = this.#commitAll();
  }

  /** Resolves when everything is committed, or nothing more will be. */
  async settled(): Promise<void> {
    while (this.#prepared.length > 0 && !this.#hasFailed && !this.#host.signal.aborted) await this.#changed();
  }

  /** Before the sink is closed: gives a commit that is under way time to come to its end. `isGivenUp`: what was not prepared is given up. */
  async leave(isGivenUp: boolean): Promise<void> {
    if (this.#committing !== undefined) await this.#untilLanded(this.#committing);
    if (!isGivenUp) return;
    try {
      await this.#sink.abort?.();
    } catch (error) {
      throw this.#lifecycleError('abort', error);
    }
  }

  async #untilLanded(committing: Promise<void>): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, LANDING_DEADLINE_MS);
    await Promise.race([committing, late.promise]);
    clearTimeout(timer);
  }

  /** The newest epoch that has nothing of what comes now. */
  get #newestEpoch(): number {
    return this.#lastEpoch ?? this.#host.restoredEpoch();
  }

  /** Whether there is something whose checkpoint is safe. */
  get #hasNext(): boolean {
    const [next] = this.#prepared;
    return next !== undefined && next.transaction.epoch <= this.#durable && !this.#hasFailed && !this.#host.signal.aborted;
  }

  async #awaitHandle(transaction: Transaction, handle: PromiseLike<unknown>): Promise<void> {
    try {
      this.#add(transaction, await handle);
    } catch (error) {
      throw this.#host.failed(error);
    }
  }

  #add(transaction: Transaction, handle: unknown): void {
    if (handle !== undefined) this.#prepared.push({ transaction, handle });
  }

  async #commitAll(): Promise<void> {
    try {
      while (this.#hasNext) {
        await this.#commit(this.#prepared[0]!);
        this.#prepared.shift();
        this.#wake();
      }
    } catch (error) {
      this.#hasFailed = true;
      // What a commit does about the end of its job is no error of the job.
      if (!this.#host.signal.aborted) this.#host.fail(error);
    }
    this.#committing = undefined;
    this.#wake();
  }

  async #commit({ transaction, handle }: Prepared): Promise<void> {
    const { policy, pace, signal } = this.#host;
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#sink.commit(handle, transaction);
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (typeof policy !== 'object' || attempt > retriesOf(policy)) throw this.#commitError(error, transaction, attempt);
        await this.#pause(backoffMs(policy.backoffMs, attempt, pace));
      }
    }
  }

  /** By the job's clock, also while the job is paused or has come to its end; rejects when it is over otherwise. */
  async #pause(ms: number): Promise<void> {
    const { clock, signal } = this.#host;
    await new Promise<void>((resolve) => {
      const stop = startTimer(clock, ms, () => {
        signal.removeEventListener('abort', leave);
        resolve();
      });
      const leave = (): void => {
        stop();
        resolve();
      };
      if (signal.aborted) leave();
      else signal.addEventListener('abort', leave, { once: true });
    });
    signal.throwIfAborted();
  }

  /** Resolves when a commit has come to its end, or the job is over. */
  #changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  readonly #wake = (): void => {
    for (const wake of this.#waiting.splice(0)) wake();
  };

  #commitError(cause: unknown, { id, epoch }: Transaction, attempts: number): SageError {
    const { owner, declaredAt } = this.#host;
    const times = attempts === 1 ? '' : ` in ${attempts} attempts`;
    return operatorError('SAGE_USER_COMMIT', `sink '${owner.name}' could not commit what it has of checkpoint ${epoch}${times}: ${textOf(cause)}`, {
      operator: owner.name,
      declaredAt,
      context: { transaction: id, epoch, instance: owner.instance },
      cause,
    });
  }

  #tooMany(): SageError {
    const { owner, declaredAt } = this.#host;
    return operatorError('SAGE_USER_COMMIT', `sink '${owner.name}' can commit nothing: ${MOST_PREPARED} checkpoints in a row could not be written`, {
      operator: owner.name,
      declaredAt,
      help: 'The warnings in the log say why each checkpoint failed; mend that, such as a disk that is full.',
    });
  }

  #lifecycleError(step: string, cause: unknown): SageError {
    const { owner, declaredAt } = this.#host;
    return operatorError('SAGE_USER_LIFECYCLE', `'${owner.name}' failed in ${step}: ${textOf(cause)}`, { operator: owner.name, declaredAt, cause });
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
