import { SageError } from '../../common/errors.ts';
import type { SourceLocation } from '../../common/source-location.ts';
import { describeValue } from '../../functions/check-user-function.ts';
import { describeMixed, type MixedEventTime } from '../../compiler/logical/mixed-event-time.ts';
import type { TimerKind, Timers } from '../../functions/state/timers.ts';

/** Something that the function at work has asked for. */
export interface TimerRequest {
  readonly kind: TimerKind;
  readonly time: number;
  readonly isCancelled: boolean;
}

/** What `ctx.timers` needs of its operator. */
export interface TimerOwner {
  readonly operator: string;
  readonly declaredAt: SourceLocation;
  readonly hasEventTime: boolean;
  /** Why not, where some of its streams have one. */
  readonly mixedTime?: MixedEventTime | undefined;
  readonly watermark: number;
  /** @throws SageError SAGE_ENV_CONTEXT when no key is in hand. */
  checkInHand(): void;
}

/** `ctx.timers`: collects what the attempt at work asks for, so that nothing of it stays when that fails. */
export class KeyTimers implements Timers {
  readonly #owner: TimerOwner;
  #requests: TimerRequest[] = [];

  constructor(owner: TimerOwner) {
    this.#owner = owner;
  }

  eventTime(t: number): void {
    this.#checkEventTime();
    this.#request('event', t, false);
  }

  processingTime(t: number): void {
    this.#request('processing', t, false);
  }

  cancelEventTime(t: number): void {
    this.#checkEventTime();
    this.#request('event', t, true);
  }

  cancelProcessingTime(t: number): void {
    this.#request('processing', t, true);
  }

  get watermark(): number {
    return this.#owner.watermark;
  }

  /** Takes what has been asked for, in order. */
  takeRequests(): readonly TimerRequest[] {
    const requests = this.#requests;
    if (requests.length > 0) this.#requests = [];
    return requests;
  }

  #request(kind: TimerKind, time: number, isCancelled: boolean): void {
    this.#owner.checkInHand();
    if (typeof time !== 'number' || !Number.isFinite(time)) {
      const { operator } = this.#owner;
      throw new SageError('SAGE_USER_WRONG_TYPE', `the time of a timer of '${operator}' is ${describeValue(time)}, and not a finite number of milliseconds`, {
        operator,
        help: 'Give epoch milliseconds: this.ctx.timers.eventTime(record.at + 10_000).',
      });
    }
    this.#requests.push({ kind, time, isCancelled });
  }

  #checkEventTime(): void {
    const { operator, declaredAt, hasEventTime, mixedTime } = this.#owner;
    if (hasEventTime) return;
    if (mixedTime !== undefined) {
      const { withTime, without } = mixedTime;
      throw new SageError('SAGE_ENV_CONTEXT', `'${operator}' asked for a timer of event time, but its records have none: ${describeMixed(mixedTime, { name: operator, declaredAt })}`, {
        operator,
        related: [
          { what: `'${without.name}', whose records have no event time`, declaredAt: without.declaredAt },
          { what: `'${withTime.name}', whose records have one`, declaredAt: withTime.declaredAt },
        ],
        help: `Call assignTimestamps on the stream before '${without.name}', or use timers.processingTime.`,
      });
    }
    throw new SageError('SAGE_ENV_CONTEXT', `'${operator}' asked for a timer of event time, but its records have none`, {
      operator,
      help: 'Call assignTimestamps before keyBy, or use timers.processingTime.',
    });
  }
}
