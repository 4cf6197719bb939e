import type { JoinType } from '../../../ts/index.ts';
import type { Asynchrony } from './graph.ts';
import type { Random } from './random.ts';

/** Windows of a step. */
export type WindowKind =
  | { readonly kind: 'tumbling'; readonly sizeMs: number; readonly offsetMs: number }
  | { readonly kind: 'sliding'; readonly sizeMs: number; readonly slideMs: number; readonly offsetMs: number }
  | { readonly kind: 'session'; readonly gapMs: number }
  | { readonly kind: 'global' }
  | { readonly kind: 'count'; readonly size: number; readonly slide: number };

/** What is made of the rows of a window: by the core, by JavaScript, or of all of them. `sizes` counts them, which does not care who comes first. */
export type WindowForm = 'numbers' | 'all' | 'reduce' | 'topN' | 'map' | 'process' | 'sizes';

/** How rows of two streams become pairs. */
export type JoinKind =
  | { readonly by: 'window'; readonly window: WindowKind; readonly type: JoinType }
  | { readonly by: 'interval'; readonly beforeMs: number; readonly afterMs: number; readonly type: JoinType }
  | { readonly by: 'asOf'; readonly withinMs: number | undefined; readonly type: 'inner' | 'left' }
  /** A class of the user. */
  | { readonly by: 'class' };

/** Calls of event time, windows, several inputs and state of keys. */
export type TimedCall =
  /** `tight`: by a field of rows that come in the order of their source, with as much disorder as those have; else with more than there can be. */
  | { readonly kind: 'timestamps'; readonly tight: boolean }
  /** Writes the event time into the row. */
  | { readonly kind: 'stamp' }
  | { readonly kind: 'window'; readonly window: WindowKind; readonly form: WindowForm; readonly latenessMs: number; readonly tagsLate: boolean }
  /** `own`: keys of the step itself, else those that both streams have. */
  | { readonly kind: 'join'; readonly join: JoinKind; readonly async: Asynchrony; readonly own: boolean }
  | { readonly kind: 'comap'; readonly async: Asynchrony; readonly isClass: boolean; readonly own: boolean }
  /** State of a key: how many rows it had, its rows in time by timers, or all of them at the end. */
  | { readonly kind: 'keyed'; readonly async: Asynchrony; readonly form: 'count' | 'buckets' | 'total' };

const TYPES = ['inner', 'left', 'right', 'full'] as const;

/** Windows of time. */
export function drawTimeWindow(random: Random): WindowKind {
  const offsetMs = random.pick([0, 0, 3]);
  switch (random.pick(['tumbling', 'sliding', 'session'] as const)) {
    case 'tumbling':
      return { kind: 'tumbling', sizeMs: random.pick([1, 7, 40, 100, 250, 1000]), offsetMs };
    case 'sliding': {
      // Also with gaps, and with sizes that are no multiple of the slide.
      const slideMs = random.pick([10, 25, 60]);
      return { kind: 'sliding', sizeMs: random.pick([Math.ceil(slideMs / 2), slideMs * 2, slideMs * 3 + 5, slideMs * 4]), slideMs, offsetMs };
    }
    case 'session':
      return { kind: 'session', gapMs: random.pick([1, 12, 40, 90]) };
  }
}

/** Windows that need no event time. */
export function drawOtherWindow(random: Random): WindowKind {
  if (random.chance(0.4)) return { kind: 'global' };
  const size = random.pick([1, 2, 5, 20]);
  return { kind: 'count', size, slide: random.pick([size, size, Math.ceil(size / 2)]) };
}

/** How a join works of two streams, with event time or not. */
export function drawJoin(random: Random, isTimed: boolean): JoinKind {
  const type = random.pick(TYPES);
  if (!isTimed) return random.chance(0.5) ? { by: 'class' } : { by: 'window', window: { kind: 'global' }, type };
  switch (random.pick(['window', 'interval', 'interval', 'asOf', 'asOf', 'class'] as const)) {
    case 'window':
      return { by: 'window', window: drawTimeWindow(random), type };
    case 'interval':
      return { by: 'interval', beforeMs: random.pick([0, 5, 60]), afterMs: random.pick([0, 1, 30, 150]), type };
    case 'asOf':
      return { by: 'asOf', withinMs: random.pick([undefined, 0, 20, 200]), type: random.pick(['inner', 'left']) };
    case 'class':
      return { by: 'class' };
  }
}

/** What can be made of windows of a kind. */
export function drawForm(random: Random, window: WindowKind): WindowForm {
  if (window.kind === 'count') return 'sizes';
  // What JavaScript adds up it does not look at between windows, so that nothing can fail there.
  const hasGaps = window.kind === 'sliding' && window.slideMs > window.sizeMs;
  return random.pick(['numbers', 'numbers', hasGaps ? 'numbers' : 'all', 'reduce', 'topN', 'map', 'process']);
}
