import type { SourceLocation } from '../../common/source-location.ts';
import { SageError } from '../../common/errors.ts';
import { describeValue } from '../../functions/check-user-function.ts';
import type { CustomTrigger, MergedWindow, TriggerContext, TriggerDecision, TriggerTimers } from '../../functions/windows/custom-trigger.ts';
import type { WindowBounds } from '../../functions/windows/window-bounds.ts';
import { KeyTimers, type TimerOwner } from '../state/key-timers.ts';
import { isThenable } from './is-thenable.ts';

/** A trigger, whatever its records and its state are. */
export type AnyTrigger = CustomTrigger<unknown, unknown>;

/** What calls of a trigger go by. */
export interface TriggerSurroundings {
  readonly operator: string;
  readonly declaredAt: SourceLocation;
  /** Whether windows go by event time: else by the clock. */
  readonly hasEventTime: boolean;
  readonly watermark: number;
  readonly nowMs: number;
}

/** The window that a trigger is asked about. */
export interface WindowInHand {
  readonly key: unknown;
  readonly bounds: WindowBounds;
  readonly state: unknown;
}

const DECISIONS: ReadonlySet<unknown> = new Set<TriggerDecision>(['continue', 'fire', 'purge', 'fireAndPurge']);

/** `ctx.timers` of a trigger: as those of a key, and one at the end of the window. */
class WindowTimers extends KeyTimers implements TriggerTimers {
  readonly #trigger: AnyTrigger;
  readonly #window: TimerOwner;
  #asksForEnd = false;

  constructor(trigger: AnyTrigger, owner: TimerOwner) {
    super(owner);
    this.#trigger = trigger;
    this.#window = owner;
  }

  override eventTime(t: number): void {
    super.eventTime(t);
    this.#needs('onEventTime');
  }

  override processingTime(t: number): void {
    super.processingTime(t);
    this.#needs('onProcessingTime');
  }

  atEnd(): void {
    this.#window.checkInHand();
    this.#needs(this.#window.hasEventTime ? 'onEventTime' : 'onProcessingTime');
    this.#asksForEnd = true;
  }

  /** Whether the call has asked for the end of its window. */
  takeEnd(): boolean {
    const asked = this.#asksForEnd;
    this.#asksForEnd = false;
    return asked;
  }

  #needs(method: 'onEventTime' | 'onProcessingTime'): void {
    if (typeof this.#trigger[method] === 'function') return;
    const { operator } = this.#window;
    throw new SageError('SAGE_USER_WRONG_TYPE', `the trigger of '${operator}' asked for a timer, and has no ${method} method to be called by it`, {
      operator,
      help: `Add ${method}(time, window, ctx) { return 'fire'; } to it.`,
    });
  }
}

/** Calls the methods of a trigger, one at a time, each with the window that it is about. What a call writes can be taken back. */
export class TriggerCalls {
  readonly timers: WindowTimers;
  readonly #trigger: AnyTrigger;
  readonly #around: TriggerSurroundings;
  readonly #context: TriggerContext<unknown>;
  #window: WindowInHand | undefined;
  /** What the call at hand has made of the state of its window. */
  state: unknown = undefined;

  constructor(trigger: AnyTrigger, around: TriggerSurroundings) {
    this.#trigger = trigger;
    this.#around = around;
    const { operator, declaredAt, hasEventTime } = around;
    const inHand = (): WindowInHand => this.#inHand();
    this.timers = new WindowTimers(trigger, {
      operator,
      declaredAt,
      hasEventTime,
      get watermark() {
        return around.watermark;
      },
      checkInHand: () => void inHand(),
    });
    const read = (): unknown => this.state;
    const write = (state: unknown): void => {
      this.state = state;
    };
    this.#context = {
      get state() {
        inHand();
        return read();
      },
      set state(value) {
        inHand();
        write(value);
      },
      get key() {
        return inHand().key;
      },
      get watermark() {
        return around.watermark;
      },
      get now() {
        return around.nowMs;
      },
      timers: this.timers,
    };
  }

  /** Whether windows have a state that has to be merged. */
  get hasState(): boolean {
    return typeof this.#trigger.init === 'function';
  }

  get merges(): boolean {
    return typeof this.#trigger.onMerge === 'function';
  }

  /** The state of a new window. */
  makeState(): unknown {
    if (!this.hasState) return undefined;
    return this.#settled(this.#trigger.init!(), 'init');
  }

  element(record: unknown, window: WindowInHand): TriggerDecision {
    return this.#decide(window, 'onElement', () => this.#trigger.onElement(record, window.bounds, this.#context));
  }

  timer(method: 'onEventTime' | 'onProcessingTime', time: number, window: WindowInHand): TriggerDecision {
    return this.#decide(window, method, () => this.#trigger[method]!(time, window.bounds, this.#context));
  }

  merge(windows: readonly MergedWindow<unknown>[], into: WindowInHand): void {
    this.#with(into, () => this.#settled(this.#trigger.onMerge!(windows, into.bounds, this.#context), 'onMerge'));
  }

  #decide(window: WindowInHand, method: string, call: () => unknown): TriggerDecision {
    return this.#with(window, () => {
      const decision = this.#settled(call(), method);
      if (DECISIONS.has(decision)) return decision as TriggerDecision;
      throw this.#wrong(`${method} of the trigger of '${this.#around.operator}' returned ${describeValue(decision)}`, "Return 'continue', 'fire', 'purge' or 'fireAndPurge'.");
    });
  }

  #with<R>(window: WindowInHand, call: () => R): R {
    this.#window = window;
    this.state = window.state;
    try {
      return call();
    } catch (error) {
      this.forget();
      throw error;
    } finally {
      this.#window = undefined;
    }
  }

  /** Nothing of the call at hand stays. */
  forget(): void {
    this.timers.takeRequests();
    this.timers.takeEnd();
  }

  #inHand(): WindowInHand {
    if (this.#window !== undefined) return this.#window;
    throw new SageError('SAGE_ENV_CONTEXT', `the trigger of '${this.#around.operator}' used its ctx outside of a call`, {
      operator: this.#around.operator,
      help: 'Use ctx in the method that it was given to: it is that of one window.',
    });
  }

  #settled(value: unknown, method: string): unknown {
    if (!isThenable(value)) return value;
    Promise.resolve(value).catch(() => undefined); // the call fails for another reason
    throw this.#wrong(`${method} of the trigger of '${this.#around.operator}' returned a promise, which windows cannot wait for`, 'Await in a map before the windows, and leave async away here.');
  }

  #wrong(message: string, help: string): SageError {
    return new SageError('SAGE_USER_WRONG_TYPE', message, { operator: this.#around.operator, help });
  }
}
