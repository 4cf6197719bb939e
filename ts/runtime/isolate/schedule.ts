import { type Core, POLL_OVER, POLL_NONE } from '../native/core.ts';

/** What in a task would be left to the machine's clock and to chance: how long a step is, and so how work is cut into batches; and how long a retry waits. */
export interface StepPace {
  /** A step begins. */
  beginStep(): void;
  /** Milliseconds from any fixed start. */
  readonly nowMs: () => number;
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** By the machine's clock, and by chance. */
export const realPace: StepPace = { beginStep: () => undefined, nowMs: () => performance.now(), random: () => Math.random() };

/** An isolate that works on a job, as its schedule sees it. */
export interface ScheduledIsolate {
  /** Whether it can do nothing until somebody wakes it. */
  isRestingNow(): boolean;
  /** What of the user's code it still waits for, in words: an async function, a source that is no test's. */
  pendingWork(): readonly string[];
  /** Has it look for what it can do. */
  wake(): void;
}

/**
 * Takes the choices of an isolate loop over from the clock and the order of events, so that they can be repeated: which of the
 * tasks that are ready goes on, and how long its step is. The test kit has one; without one, tasks are served first come, first served.
 */
export interface Schedule {
  /** An isolate begins to work on a job; the function that it gives says that it has ended. */
  join(isolate: ScheduledIsolate): () => void;
  /** An isolate has come to rest. */
  rested(): void;
  /** What an isolate that may be resting waits for is no longer user code, but the clock. */
  waitsForClock(): void;
  /** A number below `count`. */
  choose(count: number): number;
  /** For one task. */
  pace(): StepPace;
  /** Functions that are to be called when the loop chooses one of them, as if they were tasks. */
  readonly deferred: (() => void)[];
}

/** What a scheduled poll gives when the promises of something that it has called are to go on first. */
export const POLL_TURN = -3;

/** As `poll` of the core: asks it for all tasks that are ready, and has the schedule choose among them. */
export function scheduledPoll(core: Core, isolate: number, schedule: Schedule): (released: number) => number {
  return (released) => {
    const ready: number[] = [];
    let task = core.poll(isolate, released, 0);
    for (; task >= 0; task = core.poll(isolate, -1, 0)) ready.push(task);
    if (task === POLL_OVER) return POLL_OVER;
    const { deferred } = schedule;
    if (ready.length + deferred.length === 0) return POLL_NONE;
    const chosen = schedule.choose(ready.length + deferred.length);
    // The order in which the core says them depends on what came when.
    ready.sort((a, b) => a - b);
    ready.forEach((one, n) => {
      if (n !== chosen) core.release(isolate, one);
    });
    if (chosen < ready.length) return ready[chosen]!;
    const [call] = deferred.splice(chosen - ready.length, 1);
    call!();
    return POLL_TURN;
  };
}
