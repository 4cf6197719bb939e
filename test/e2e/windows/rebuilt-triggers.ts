import type { CustomTrigger, MergedWindow, TriggerContext, TriggerDecision, WindowBounds } from '../../../ts/index.ts';
import type { Event } from './naive-windows.ts';

/** The end of a window, as a user writes it. */
export class AtEnd implements CustomTrigger<unknown> {
  onElement(_: unknown, __: WindowBounds, { timers }: TriggerContext<undefined>): TriggerDecision {
    timers.atEnd();
    return 'continue';
  }

  onEventTime(): TriggerDecision {
    return 'fire';
  }
}

/** A trigger whose results show what none has shown: its state says what that is, and is as at first when all has been. */
abstract class ShowsTheRest<S> {
  abstract init(): S;

  protected fire(ctx: TriggerContext<S>): TriggerDecision {
    ctx.state = this.init();
    return 'fire';
  }
}

/** Its state is how many records no result has shown. */
abstract class CountsTheRest extends ShowsTheRest<number> {
  readonly #every: number;

  constructor(every: number) {
    super();
    this.#every = every;
  }

  init(): number {
    return 0;
  }

  /** One more record; where sessions have merged there may be more than so many. */
  protected count(ctx: TriggerContext<number>): TriggerDecision {
    ctx.state++;
    return ctx.state >= this.#every ? this.fire(ctx) : 'continue';
  }

  onMerge(windows: readonly MergedWindow<number>[], _: WindowBounds, ctx: TriggerContext<number>): void {
    ctx.state = windows.reduce((sum, { state }) => sum + state, 0);
  }
}

/** When a window closes: what has not been shown is shown then. */
class Close {
  readonly #latenessMs: number;

  constructor(latenessMs: number) {
    this.#latenessMs = latenessMs;
  }

  /** Has `onEventTime` called then. */
  await({ timers }: Pick<TriggerContext<unknown>, 'timers'>, { end }: WindowBounds): void {
    if (end === Number.POSITIVE_INFINITY) timers.atEnd();
    else timers.eventTime(end + this.#latenessMs);
  }

  /** A session may have grown since it was awaited. */
  isAt(time: number, { end }: WindowBounds): boolean {
    return time === end + this.#latenessMs;
  }
}

/** A result after so many records, and what is left when the window closes. */
export class EveryCount extends CountsTheRest implements CustomTrigger<unknown, number> {
  readonly #close: Close;

  constructor(every: number, latenessMs: number) {
    super(every);
    this.#close = new Close(latenessMs);
  }

  onElement(_: unknown, window: WindowBounds, ctx: TriggerContext<number>): TriggerDecision {
    this.#close.await(ctx, window);
    return this.count(ctx);
  }

  onEventTime(time: number, window: WindowBounds, ctx: TriggerContext<number>): TriggerDecision {
    return this.#close.isAt(time, window) && ctx.state > 0 ? this.fire(ctx) : 'continue';
  }
}

/** A result after so many records, at the end, and for each record behind that. */
export class EarlyAndFinal extends CountsTheRest implements CustomTrigger<unknown, number> {
  onElement(_: unknown, { end }: WindowBounds, ctx: TriggerContext<number>): TriggerDecision {
    if (ctx.watermark >= end) return this.fire(ctx);
    ctx.timers.atEnd();
    return this.count(ctx);
  }

  onEventTime(_: number, __: WindowBounds, ctx: TriggerContext<number>): TriggerDecision {
    return this.fire(ctx);
  }
}

/** The last record that came, and the last one that a result has shown. */
interface Seen {
  readonly last: Event | undefined;
  readonly shown: Event | undefined;
}

const later = (a: Event | undefined, b: Event | undefined): Event | undefined => (a === undefined || (b !== undefined && b.id > a.id) ? b : a);

/** A result when the value is so far from that of the last record that was shown, and what is left when the window closes. */
export class Delta implements CustomTrigger<Event, Seen> {
  readonly #least: number;
  readonly #close: Close;

  constructor(least: number, latenessMs: number) {
    this.#least = least;
    this.#close = new Close(latenessMs);
  }

  init(): Seen {
    return { last: undefined, shown: undefined };
  }

  onElement(event: Event, window: WindowBounds, ctx: TriggerContext<Seen>): TriggerDecision {
    const { shown } = ctx.state;
    this.#close.await(ctx, window);
    const fires = shown === undefined || Math.abs(event.value - shown.value) >= this.#least;
    ctx.state = { last: event, shown: fires ? event : shown };
    return fires ? 'fire' : 'continue';
  }

  onEventTime(time: number, window: WindowBounds, ctx: TriggerContext<Seen>): TriggerDecision {
    const { last, shown } = ctx.state;
    if (!this.#close.isAt(time, window) || last === shown) return 'continue';
    ctx.state = { last, shown: last };
    return 'fire';
  }

  onMerge(windows: readonly MergedWindow<Seen>[], _: WindowBounds, ctx: TriggerContext<Seen>): void {
    for (const { state } of windows) ctx.state = { last: later(ctx.state.last, state.last), shown: later(ctx.state.shown, state.shown) };
  }
}

/** When the next result by the clock is due, and how many records none has shown. */
interface Waiting {
  readonly unshown: number;
  readonly dueMs: number | undefined;
}

/** A result so long after the first record that none has shown, and at the end: of `final` always, else of what is left. */
export class EveryPeriod extends ShowsTheRest<Waiting> implements CustomTrigger<unknown, Waiting> {
  readonly #periodMs: number;
  readonly #final: boolean;

  constructor(periodMs: number, final: boolean) {
    super();
    this.#periodMs = periodMs;
    this.#final = final;
  }

  init(): Waiting {
    return { unshown: 0, dueMs: undefined };
  }

  onElement(_: unknown, { end }: WindowBounds, ctx: TriggerContext<Waiting>): TriggerDecision {
    if (this.#final && ctx.watermark >= end) return this.fire(ctx);
    ctx.timers.atEnd();
    const { unshown, dueMs = ctx.now + this.#periodMs } = ctx.state;
    ctx.timers.processingTime(dueMs);
    ctx.state = { unshown: unshown + 1, dueMs };
    return 'continue';
  }

  onEventTime(_: number, __: WindowBounds, ctx: TriggerContext<Waiting>): TriggerDecision {
    return this.#final || ctx.state.unshown > 0 ? this.fire(ctx) : 'continue';
  }

  onProcessingTime(_: number, { end }: WindowBounds, ctx: TriggerContext<Waiting>): TriggerDecision {
    // With the result at the end about to come, one before it says nothing.
    if (this.#final && ctx.watermark >= end) return 'continue';
    return this.fire(ctx);
  }

  onMerge(windows: readonly MergedWindow<Waiting>[], _: WindowBounds, ctx: TriggerContext<Waiting>): void {
    const due = windows.flatMap(({ state }) => state.dueMs ?? []);
    for (const dueMs of due) ctx.timers.cancelProcessingTime(dueMs);
    const dueMs = due.length === 0 ? undefined : Math.min(...due);
    if (dueMs !== undefined) ctx.timers.processingTime(dueMs);
    ctx.state = { unshown: windows.reduce((sum, { state }) => sum + state.unshown, 0), dueMs };
  }

  protected override fire(ctx: TriggerContext<Waiting>): TriggerDecision {
    if (ctx.state.dueMs !== undefined) ctx.timers.cancelProcessingTime(ctx.state.dueMs);
    return super.fire(ctx);
  }
}
