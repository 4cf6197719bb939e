import type { Core } from '../native/core.ts';

/** Timers that are taken of the core at a time. */
const TAKEN = 256;

/**
 * The timers of one clock in one task. They lie in the core (docs/internals/windows.md); what is registered and cancelled is collected and
 * given to it in one call before something is taken. Timers that were taken and have not fired can still be cancelled, and others
 * registered in front of them: it is as if each had been taken on its own.
 */
export class TimerQueue {
  readonly #core: Core;
  readonly #handle: number;
  /** To be registered: slots by time, those of one time in their order. */
  readonly #registered = new Map<number, Set<number>>();
  /** To be cancelled before. */
  readonly #cancelled = new Map<number, Set<number>>();
  /** Taken, in the order in which they are to fire, from `#next` on. */
  #times: number[] = [];
  #slots: number[] = [];
  #next = 0;
  /** No timer is earlier. */
  #earliestMs = Number.POSITIVE_INFINITY;
  /** How many the core has. */
  #inCore = 0;
  readonly #takenTimes = new Float64Array(TAKEN);
  readonly #takenSlots = new Int32Array(TAKEN);

  constructor(core: Core, job: number) {
    this.#core = core;
    this.#handle = core.timersCreate(job);
  }

  /** When there may be a timer, but not before; infinity for none. */
  get earliestMs(): number {
    return this.#next < this.#times.length ? this.#times[this.#next]! : this.#earliestMs;
  }

  register(slot: number, time: number): void {
    if (this.#takenPlace(slot, time) >= 0) return;
    if (this.#next < this.#times.length && time < this.#times.at(-1)!) {
      // Behind those of the same time.
      const place = this.#times.findIndex((taken, n) => n >= this.#next && taken > time);
      this.#times.splice(place, 0, time);
      this.#slots.splice(place, 0, slot);
      return;
    }
    slotsAt(this.#registered, time).add(slot);
    this.#earliestMs = Math.min(this.#earliestMs, time);
  }

  cancel(slot: number, time: number): void {
    const place = this.#takenPlace(slot, time);
    if (place >= 0) {
      this.#times.splice(place, 1);
      this.#slots.splice(place, 1);
      return;
    }
    this.#registered.get(time)?.delete(slot);
    slotsAt(this.#cancelled, time).add(slot);
  }

  #takenPlace(slot: number, time: number): number {
    for (let n = this.#next; n < this.#times.length && this.#times[n]! <= time; n++) if (this.#times[n] === time && this.#slots[n] === slot) return n;
    return -1;
  }

  /** Takes the next timer whose time is not after `upToMs`, which never goes back. */
  take(upToMs: number): { readonly time: number; readonly slot: number } | undefined {
    if (this.#next === this.#times.length && !this.#takeMore(upToMs)) return undefined;
    const n = this.#next++;
    return { time: this.#times[n]!, slot: this.#slots[n]! };
  }

  #takeMore(upToMs: number): boolean {
    this.#times = [];
    this.#slots = [];
    this.#next = 0;
    if (this.#earliestMs > upToMs) return false;
    this.#give();
    const count = this.#core.timersDue(this.#handle, upToMs, this.#takenTimes, this.#takenSlots);
    this.#inCore -= count;
    this.#times.push(...this.#takenTimes.subarray(0, count));
    this.#slots.push(...this.#takenSlots.subarray(0, count));
    this.#earliestMs = this.#core.timersNext(this.#handle);
    return count > 0;
  }

  /** Gives the core what was collected. */
  #give(): void {
    for (const [collected, give] of [[this.#cancelled, this.#core.timersCancel], [this.#registered, this.#core.timersRegister]] as const) {
      const pairs = [...collected].flatMap(([time, slots]) => [...slots].map((slot) => [time, slot] as const));
      collected.clear();
      if (pairs.length > 0) this.#inCore = give(this.#handle, Float64Array.from(pairs, ([time]) => time), Int32Array.from(pairs, ([, slot]) => slot));
    }
  }

  /** Whose timers are due next: of those that were taken. */
  dueNext(): readonly number[] {
    return this.#slots.slice(this.#next);
  }

  /** How many timers there are, those that wait to be given to the core apart. */
  get size(): number {
    return this.#inCore + this.#times.length - this.#next;
  }

  /** All timers. Of those of one time the ones with smaller places fire first; a timer keeps its place for as long as it is there. */
  *all(): Generator<{ readonly time: number; readonly slot: number; readonly place: number }> {
    this.flush();
    // Those that were taken come before all others.
    for (let n = this.#next; n < this.#times.length; n++) yield { time: this.#times[n]!, slot: this.#slots[n]!, place: n - this.#times.length };
    const timers = this.#core.timersAll(this.#handle);
    for (let n = 0; n < timers.length; n += 3) yield { time: timers[n]!, slot: timers[n + 1]!, place: timers[n + 2]! };
  }

  /** Ends a batch: the core is given what was collected. */
  flush(): void {
    if (this.#registered.size > 0 || this.#cancelled.size > 0) this.#give();
  }

  /** Those of these slots that have no timer. */
  without(slots: readonly number[]): number[] {
    this.flush();
    if (this.size === 0) return [...slots];
    const taken = new Set(this.#slots.slice(this.#next));
    const held = Int32Array.from(slots);
    this.#core.timersHeld(this.#handle, held);
    return slots.filter((slot, n) => held[n] === 0 && !taken.has(slot));
  }

  close(): void {
    this.#core.stateDrop(this.#handle);
  }
}

function slotsAt(collected: Map<number, Set<number>>, time: number): Set<number> {
  let slots = collected.get(time);
  if (slots === undefined) collected.set(time, (slots = new Set()));
  return slots;
}
