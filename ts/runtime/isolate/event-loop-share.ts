/** Longest time between two turns of the event loop: timers and signals of user code live in it. */
const MAX_BUSY_MS = 8;

let busyLoops = 0;

/** A loop of this isolate begins to work. */
export function enterBusy(): void {
  busyLoops++;
}

/** A loop of this isolate rests. */
export function leaveBusy(): void {
  busyLoops--;
}

/**
 * How long a loop may work before it lets the event loop turn. All busy loops of an isolate run between two turns, so that
 * they share the time: two jobs must not hold up a timer twice as long as one.
 */
export function busyShareMs(): number {
  return MAX_BUSY_MS / Math.max(1, busyLoops);
}
