import { inspect } from 'node:util';

import { SageError } from '../../common/errors.ts';
import type { StepPace } from '../isolate/schedule.ts';
import type { LogicalOperator } from '../../compiler/logical-plan.ts';
import { type StageNode, failingOperator } from '../../compiler/physical-plan.ts';
import { recordWithin } from '../../functions/timestamped.ts';
import type { DeadLetter } from '../../transformations/dead-letter.ts';
import { type ErrorPolicy, isTolerant, outcomeOf, retriesOf } from '../../transformations/error-policy.ts';
import { FailedTimer } from './failed-timer.ts';
import { failureInfo } from './failure-info.ts';
import { isThenable } from './is-thenable.ts';
import type { LinkedNode, Pushed } from './linked-node.ts';
import type { StageBindings } from './stage-bindings.ts';
import { NO_RECORD } from './stage-control.ts';

/** Longest wait between two attempts. */
const MAX_BACKOFF_MS = 60_000;

/** They work on records that were collected first: the time at hand is that of another one. */
const COLLECTS_FIRST: ReadonlySet<string> = new Set(['window', 'reduce', 'aggregate']);

/** How a failure came to be known. */
export type FailureKind = 'threw' | 'rejected';

/** Time before an attempt: it doubles each time, and a random part of up to a half keeps instances from coming back all at once. */
export function backoffMs(firstMs: number, retry: number, { random }: Pick<StepPace, 'random'>): number {
  return Math.min(MAX_BACKOFF_MS, firstMs * 2 ** (retry - 1)) * (1 - random() / 2);
}

/** What an error says it was at. */
function recordOf(value: unknown): unknown {
  return value instanceof FailedTimer ? NO_RECORD : value;
}

/** Does what the error policy of one operator says about a record at which it failed. */
export class Recovery {
  readonly #node: StageNode;
  readonly #operator: LogicalOperator;
  readonly #bindings: StageBindings;
  readonly #policy: ErrorPolicy | undefined;
  readonly #letterNodes: readonly number[];
  readonly #linked: readonly LinkedNode[];
  #warned = false;

  constructor(node: StageNode, bindings: StageBindings, linked: readonly LinkedNode[]) {
    this.#node = node;
    this.#bindings = bindings;
    this.#operator = failingOperator(node);
    this.#policy = this.#operator.transformation.errorPolicy;
    // What cannot be encoded is a failure of the operator that gave it.
    const owner = bindings.stage.nodes.find(({ operator, op }) => operator === this.#operator && op.kind !== 'output' && op.kind !== 'input') ?? node;
    this.#letterNodes = owner.sides.filter(({ channel }) => channel === 'deadLetters').map((side) => side.node);
    this.#linked = linked;
  }

  /** Whether a failure is anything else than the end of the job. */
  get isTolerant(): boolean {
    return isTolerant(this.#policy);
  }

  /** Attempts behind the first one. */
  get retries(): number {
    return retriesOf(this.#policy);
  }

  /**
   * The record has failed for the first time: perhaps tries again, and in the end leaves it out, gives a dead letter, or
   * throws.
   *
   * @param attempt tries again and goes on with what that gives; throws what the operator does. `undefined` where nothing can be tried again.
   */
  recover(error: unknown, value: unknown, key: unknown, how: FailureKind, attempt: (() => Promise<() => Pushed>) | undefined): Pushed {
    this.#checkBearable(error, value, how);
    if (this.retries > 0 && attempt !== undefined) return this.#tryAgain(error, value, key, how, attempt);
    return this.giveUp(error, value, key, 1, how);
  }

  /** No attempt is left. @param time event time of the record. @throws SageError when the policy ends with `'fail'`. */
  giveUp(error: unknown, value: unknown, key: unknown, attempts: number, how: FailureKind = 'threw', time: number | undefined = this.#bindings.control.time): Pushed {
    this.#checkBearable(error, value, how);
    const { control, skipped, dead, ahead } = this.#bindings;
    const { id } = this.#node;
    const outcome = outcomeOf(this.#policy);
    if (outcome !== 'fail' && error instanceof SageError && error.code === 'SAGE_TIME_AHEAD') ahead[id]!++;
    switch (outcome) {
      case 'fail':
        throw how === 'rejected' ? control.rejected(error, id, recordOf(value)) : control.threw(error, id, recordOf(value));
      case 'skip':
        skipped[id]!++;
        this.#warn(error, value, 'left out');
        return undefined;
      case 'deadLetter':
        dead[id]!++;
        this.#warn(error, value, 'put aside');
        return this.#send(this.letter(error, value, key, attempts, time));
    }
  }

  /** A dead letter of a record. */
  letter(error: unknown, value: unknown, key: unknown, attempts: number, time: number | undefined): DeadLetter<unknown> {
    const operator = this.#operator;
    const { op } = this.#node;
    const isTimer = value instanceof FailedTimer;
    const hasTime = operator.takesTime && !isTimer && !COLLECTS_FIRST.has(operator.kind) && time !== undefined && Number.isFinite(time);
    return {
      // What could not be sent to another task cannot be sent there in a letter either.
      record: op.kind === 'output' ? inspect(value, { depth: 4 }) : isTimer ? undefined : recordWithin(value),
      key,
      ...(hasTime ? { timestamp: time } : {}),
      ...(isTimer ? { timer: { kind: value.kind, time: value.time } } : {}),
      error: failureInfo(error),
      operator: operator.name,
      declaredAt: operator.transformation.declaredAt,
      attempts,
      failedAtMs: this.#bindings.clock.now(),
    };
  }

  /** What nobody can go on from, and what is none of the operator's failures. */
  #checkBearable(error: unknown, value: unknown, how: FailureKind): void {
    const { control } = this.#bindings;
    control.checkNotOver();
    const ours = error instanceof SageError && (error.domain === 'internal' || error.code === 'SAGE_JOB_CANCELED');
    if (this.isTolerant && !ours) return;
    throw how === 'rejected' ? control.rejected(error, this.#node.id, recordOf(value)) : control.threw(error, this.#node.id, recordOf(value));
  }

  async #tryAgain(first: unknown, value: unknown, key: unknown, how: FailureKind, attempt: () => Promise<() => Pushed>): Promise<void> {
    const policy = this.#policy as Exclude<ErrorPolicy, string>;
    const { time } = this.#bindings.control;
    let error = first;
    for (let retry = 1; retry <= policy.retry; retry++) {
      await this.#bindings.wait(backoffMs(policy.backoffMs, retry, this.#bindings.pace));
      let goOn: () => Pushed;
      try {
        goOn = await attempt();
      } catch (again) {
        this.#checkBearable(again, value, how);
        error = again;
        continue;
      }
      this.#bindings.control.checkNotOver();
      const pushed = goOn();
      if (pushed !== undefined) await pushed;
      return;
    }
    const pushed = this.giveUp(error, value, key, policy.retry + 1, how, time);
    if (pushed !== undefined) await pushed;
  }

  #send(letter: DeadLetter<unknown>): Pushed {
    let all: Promise<void> | undefined;
    for (const node of this.#letterNodes) {
      const linked = this.#linked[node]!;
      if (all === undefined) all = linked.push(letter, undefined);
      else all = all.then(() => linked.push(letter, undefined));
    }
    return all;
  }

  /** The first record of each instance is told of; all are counted. */
  #warn(error: unknown, value: unknown, fate: string): void {
    const isTimer = value instanceof FailedTimer;
    // A timer is counted with the records, and by itself, so that those can still be told.
    if (isTimer) this.#bindings.contexts[this.#node.id]!.metrics.counter('timers failed').inc();
    if (this.#warned) return;
    this.#warned = true;
    const { name, message } = failureInfo(error);
    this.#bindings.logger(this.#node.id).warn(`a ${isTimer ? 'timer' : 'record'} was ${fate}, as onError says (further ones are only counted): ${name}: ${message}`);
  }
}

/** Calls something that may throw or give a promise, as a promise. */
export async function attempted<T>(call: () => T | PromiseLike<T>): Promise<T> {
  const result = call();
  return isThenable(result) ? await result : (result as T);
}
