import type { WindowAssigner } from '../../../ts/index.ts';
import type { Event, Shown } from './naive-windows.ts';

/** What windows are asked for that go by the clock, or have a trigger that does. */
export interface ClockSettings {
  readonly assigner: WindowAssigner;
  /** Whether records are in windows by their event time, or by the clock. */
  readonly time: 'event' | 'clock';
  readonly outOfOrdernessMs: number;
  readonly allowedLatenessMs: number;
  /** A result after so many records of a window, or so long after the first one that none has shown. */
  readonly every: { readonly count: number } | { readonly periodMs: number } | undefined;
  /** Whether there is a result when the end of a window has come. */
  readonly atEnd: boolean;
  readonly discarding: boolean;
}

interface OpenWindow {
  readonly key: string;
  readonly start: number;
  readonly end: number;
  readonly elements: Event[];
  readonly shown: Set<Event>;
  hasFired: boolean;
  /** When a result by the clock is due. */
  dueMs: number | undefined;
}

/** Windows by their definition, moment by moment: all that is open is looked at each time. What is given comes with the call that makes it due. */
export class NaiveClockWindows {
  late = 0;
  readonly #settings: ClockSettings;
  #nowMs: number;
  #open: OpenWindow[] = [];
  #greatest = Number.NEGATIVE_INFINITY;
  #watermark = Number.NEGATIVE_INFINITY;
  #given: Shown[] = [];

  constructor(settings: ClockSettings, startMs: number) {
    this.#settings = settings;
    this.#nowMs = startMs;
    if (settings.time === 'clock') this.#watermark = startMs;
  }

  push(event: Event): Shown[] {
    const { time, outOfOrdernessMs } = this.#settings;
    this.#add(event, time === 'event' ? event.at : this.#nowMs);
    this.#greatest = Math.max(this.#greatest, event.at);
    if (time === 'event') this.#advance(this.#greatest - outOfOrdernessMs);
    return this.#take();
  }

  /** The clock goes on, and stops at each moment at which something is due. */
  wait(ms: number): Shown[] {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const next = Math.min(...this.#open.flatMap((window) => this.#momentsOf(window)).filter((moment) => moment > this.#nowMs), untilMs);
      this.#nowMs = next;
      for (const window of this.#open) if (window.dueMs !== undefined && window.dueMs <= next && !this.#endsNow(window)) this.#show(window);
      if (this.#settings.time === 'clock') this.#advance(next);
      if (next === untilMs) return this.#take();
    }
  }

  /** The input has ended. */
  finish(): Shown[] {
    this.#advance(Number.POSITIVE_INFINITY);
    return this.#take();
  }

  #take(): Shown[] {
    const given = this.#given;
    this.#given = [];
    return given;
  }

  #momentsOf({ end, dueMs }: OpenWindow): number[] {
    return [...(dueMs === undefined ? [] : [dueMs]), ...(this.#settings.time === 'clock' ? [end, end + this.#settings.allowedLatenessMs] : [])];
  }

  /** With the result at the end about to come, one before it says nothing. */
  #endsNow({ end }: OpenWindow): boolean {
    return this.#settings.atEnd && this.#settings.time === 'clock' && this.#nowMs >= end;
  }

  #isClosed(end: number): boolean {
    return this.#watermark >= end + this.#settings.allowedLatenessMs;
  }

  #show(window: OpenWindow): void {
    const { key, start, end } = window;
    const elements = window.elements.filter((event) => !this.#settings.discarding || !window.shown.has(event));
    for (const event of elements) window.shown.add(event);
    window.dueMs = undefined;
    if (elements.length > 0) this.#given.push({ key, start, end, elements });
  }

  #advance(to: number): void {
    this.#watermark = Math.max(this.#watermark, to);
    for (const window of this.#open.toSorted((a, b) => a.end - b.end)) {
      if (this.#settings.atEnd && !window.hasFired && this.#watermark >= window.end) {
        window.hasFired = true;
        this.#show(window);
      }
      if (this.#isClosed(window.end) && window.shown.size < window.elements.length) this.#show(window);
    }
    this.#open = this.#open.filter(({ end }) => !this.#isClosed(end));
  }

  #windowsOf(key: string, at: number): { readonly start: number; readonly end: number }[] {
    const { assigner } = this.#settings;
    if (assigner.kind === 'global') return [{ start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY }];
    if (assigner.kind === 'session') {
      let [start, end] = [at, at + assigner.gapMs];
      for (;;) {
        const other = this.#open.find((window) => window.key === key && window.start < end && start < window.end && (window.start < start || window.end > end));
        if (other === undefined) return [{ start, end }];
        [start, end] = [Math.min(start, other.start), Math.max(end, other.end)];
      }
    }
    if (assigner.kind === 'count') throw new TypeError('these are not windows of time');
    const slideMs = assigner.kind === 'tumbling' ? assigner.sizeMs : assigner.slideMs;
    const all: { start: number; end: number }[] = [];
    for (let start = Math.floor((at - assigner.offsetMs) / slideMs) * slideMs + assigner.offsetMs; start + assigner.sizeMs > at; start -= slideMs) all.push({ start, end: start + assigner.sizeMs });
    return all;
  }

  #add(event: Event, at: number): void {
    const { atEnd, every } = this.#settings;
    const all = this.#windowsOf(event.key, at);
    const into = all.filter(({ end }) => !this.#isClosed(end));
    if (all.length > 0 && into.length === 0) this.late++;
    for (const { start, end } of into) {
      const parts = this.#open.filter((one) => one.key === event.key && one.start >= start && one.end <= end && (this.#settings.assigner.kind === 'session' || one.start === start));
      const dues = parts.flatMap(({ dueMs }) => dueMs ?? []);
      const window: OpenWindow = {
        key: event.key,
        start,
        end,
        elements: [...parts.flatMap(({ elements }) => elements), event].toSorted((a, b) => a.id - b.id),
        shown: new Set(parts.flatMap(({ shown }) => [...shown])),
        hasFired: this.#watermark >= end,
        // The clock runs from the first record on that no result has shown.
        dueMs: every === undefined || !('periodMs' in every) ? undefined : Math.min(...dues, this.#nowMs + every.periodMs),
      };
      this.#open = [...this.#open.filter((one) => !parts.includes(one)), window];
      const isFull = every !== undefined && 'count' in every && window.elements.length - window.shown.size >= every.count;
      if (isFull || (atEnd && window.hasFired)) this.#show(window);
    }
  }
}
