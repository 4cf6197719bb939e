import type { WindowAssigner } from '../../../ts/index.ts';
import { localTimeOf } from './local-time.ts';

/** A record of the test streams; `id` tells where it came. */
export interface Event {
  readonly id: number;
  readonly key: string;
  readonly at: number;
  readonly value: number;
}

/** What windows are asked for. */
export interface NaiveSettings {
  readonly assigner: WindowAssigner;
  readonly outOfOrdernessMs: number;
  /** The watermark that a record finds, where it is not said by `outOfOrdernessMs`. */
  readonly watermarkOf?: (event: Event) => number;
  readonly allowedLatenessMs: number;
  /** A result after each so many records of a window. */
  readonly every: number | undefined;
  /** Whether there is a result when the end of a window has come. */
  readonly atEnd: boolean;
  readonly discarding: boolean;
  /** Whether the last record of a window asks for a result, by all of its records and those that some result has shown. */
  readonly asks?: (elements: readonly Event[], shown: ReadonlySet<Event>) => boolean;
}

/** A result: a window with what it shows. */
export interface Shown {
  readonly key: string;
  readonly start: number;
  readonly end: number;
  readonly elements: readonly Event[];
}

interface OpenWindow {
  readonly key: string;
  start: number;
  end: number;
  elements: Event[];
  shown: Set<Event>;
  hasFired: boolean;
}

/**
 * Windows by their definition, one record after the other, with nothing shared between them: all that is open is looked at
 * each time.
 */
export function naiveWindows(events: readonly Event[], settings: NaiveSettings): { readonly shown: Shown[]; readonly late: Event[] } {
  const { assigner, outOfOrdernessMs, allowedLatenessMs, every, atEnd, discarding, asks, watermarkOf } = settings;
  const shown: Shown[] = [];
  const late: Event[] = [];
  let open: OpenWindow[] = [];
  let greatest = Number.NEGATIVE_INFINITY;
  let watermark = Number.NEGATIVE_INFINITY;
  const isClosed = (end: number): boolean => watermark >= end + allowedLatenessMs;

  const show = (window: OpenWindow): void => {
    const elements = discarding ? window.elements.filter((event) => !window.shown.has(event)) : window.elements.slice();
    window.shown = new Set(window.elements);
    if (elements.length > 0) shown.push({ key: window.key, start: window.start, end: window.end, elements });
  };

  const advance = (to: number): void => {
    watermark = Math.max(watermark, to);
    for (const window of open.toSorted((a, b) => a.end - b.end)) {
      if (atEnd && !window.hasFired && watermark >= window.end) {
        window.hasFired = true;
        show(window);
      }
      if (isClosed(window.end) && window.shown.size < window.elements.length) show(window);
    }
    open = open.filter(({ end }) => !isClosed(end));
  };

  const windowsOf = ({ key, at }: Event): { start: number; end: number }[] => {
    switch (assigner.kind) {
      case 'tumbling':
      case 'sliding': {
        const slide = assigner.kind === 'tumbling' ? assigner.sizeMs : assigner.slideMs;
        if (assigner.timeZone !== undefined) return localWindowsOf(at, { ...assigner, slideMs: slide, timeZone: assigner.timeZone });
        const all: { start: number; end: number }[] = [];
        const last = Math.floor((at - assigner.offsetMs) / slide) * slide + assigner.offsetMs;
        for (let start = last; start + assigner.sizeMs > at; start -= slide) all.push({ start, end: start + assigner.sizeMs });
        return all;
      }
      case 'session': {
        const merged = { start: at, end: at + assigner.gapMs };
        // One session after the other, as long as there is one that overlaps.
        for (;;) {
          const other = open.find((window) => window.key === key && window.start < merged.end && merged.start < window.end && (window.start < merged.start || window.end > merged.end));
          if (other === undefined) return [merged];
          merged.start = Math.min(merged.start, other.start);
          merged.end = Math.max(merged.end, other.end);
        }
      }
      case 'global':
        return [{ start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY }];
      case 'count':
        throw new TypeError('these are not windows of time');
    }
  };

  const add = (event: Event): void => {
    const all = windowsOf(event);
    const into = all.filter(({ end }) => !isClosed(end));
    if (all.length > 0 && into.length === 0) late.push(event);
    for (const { start, end } of into) {
      const merged = open.filter((window) => window.key === event.key && (assigner.kind === 'session' ? window.start >= start && window.end <= end : window.start === start && window.end === end));
      const window: OpenWindow = {
        key: event.key,
        start,
        end,
        elements: [...merged.flatMap(({ elements }) => elements), event].toSorted((a, b) => a.id - b.id),
        shown: new Set(merged.flatMap((one) => [...one.shown])),
        hasFired: watermark >= end,
      };
      open = [...open.filter((one) => !merged.includes(one)), window];
      if ((every !== undefined && window.elements.length - window.shown.size >= every) || asks?.(window.elements, window.shown) === true || (atEnd && window.hasFired)) show(window);
    }
  };

  for (const event of events) {
    advance(watermarkOf?.(event) ?? greatest - outOfOrdernessMs);
    add(event);
    greatest = Math.max(greatest, event.at);
  }
  advance(Number.POSITIVE_INFINITY);
  return { shown, late };
}

/** Windows between moments at which local clocks first show their edges: those of the days around a record that have it. */
function localWindowsOf(at: number, { sizeMs, slideMs, offsetMs, timeZone }: { readonly sizeMs: number; readonly slideMs: number; readonly offsetMs: number; readonly timeZone: string }): { start: number; end: number }[] {
  const { shownAt, firstShowing } = localTimeOf(timeZone);
  const near = Math.floor((shownAt(at) - offsetMs) / slideMs);
  const before = Math.ceil(sizeMs / slideMs) + 2;
  return Array.from({ length: before + 3 }, (_, n) => (near - before + n) * slideMs + offsetMs)
    .map((edge) => ({ start: firstShowing(edge), end: firstShowing(edge + sizeMs) }))
    .filter(({ start, end }) => start <= at && at < end);
}

/** Windows of so many records of a key, by their definition. */
export function naiveCountWindows(events: readonly Event[], size: number, slide: number): Shown[] {
  return [...Map.groupBy(events, ({ key }) => key)].flatMap(([key, all]) => {
    const shown: Shown[] = [];
    for (let end = slide; end <= all.length; end += slide) shown.push({ key, start: Math.max(0, end - size), end, elements: all.slice(Math.max(0, end - size), end) });
    // What is left at the end is the next window, as far as it has come.
    const next = Math.ceil(all.length / slide) * slide;
    const start = Math.max(0, next - size);
    if (all.length % slide !== 0 && start < all.length) shown.push({ key, start, end: all.length, elements: all.slice(start) });
    return shown;
  });
}
