import { type Event, type NaiveSettings, type Shown, naiveCountWindows, naiveWindows } from '../windows/naive-windows.ts';
import { compute, rowOfResult, windowRow } from './functions.ts';
import { type Item, groupsOf } from './item.ts';
import type { WindowForm, WindowKind } from './timed-calls.ts';

/** Items of one window, with its bounds. */
interface ItemWindow {
  readonly key: unknown;
  readonly start: number;
  readonly end: number;
  readonly items: readonly Item[];
}

const AT_THE_END: Omit<NaiveSettings, 'assigner'> = { outOfOrdernessMs: 0, allowedLatenessMs: 0, every: undefined, atEnd: true, discarding: false };

/** The windows of items by their definition: with nothing late, the order in which items come is no matter, so they are taken by time. */
export function windowsOf(items: readonly Item[], isKeyed: boolean, window: WindowKind): ItemWindow[] {
  return groupsOf(items, isKeyed).flatMap((group) => {
    const inTime = window.kind === 'count' ? group : group.toSorted((a, b) => (a.at ?? 0) - (b.at ?? 0));
    const events = inTime.map(({ at = 0 }, id): Event => ({ id, key: '', at, value: 0 }));
    return shownWindows(events, window).map(({ start, end, elements }) => ({ key: group[0]!.key, start, end, items: elements.map(({ id }) => inTime[id]!) }));
  });
}

function shownWindows(events: readonly Event[], window: WindowKind): readonly Shown[] {
  if (window.kind === 'count') return naiveCountWindows(events, window.size, window.slide);
  const assigner = 'offsetMs' in window ? { ...window, timeZone: undefined } : window;
  const { shown, late } = naiveWindows(events, { ...AT_THE_END, assigner });
  if (late.length > 0) throw new Error('nothing is late in the order of time');
  return shown;
}

/** What a window step makes of its items. Its results have no key, and, of windows of time, their last moment. */
export function windowItems(items: readonly Item[], isKeyed: boolean, window: WindowKind, form: WindowForm): Item[] {
  return windowsOf(items, isKeyed, window).map(({ key, start, end, items: inside }) => {
    const rows = inside.map(({ row }) => row);
    const at = Number.isFinite(end) && window.kind !== 'count' ? { at: end - 1 } : {};
    switch (form) {
      case 'reduce':
        return { row: rows.reduce(compute.reduce), ...at };
      case 'topN':
        return { row: windowRow({ start, end }, rowOfResult({ key, n: 2, top: rows.map(({ v }) => v).toSorted((a, b) => b - a).slice(0, 2) })), ...at };
      case 'sizes':
        return { row: windowRow({ start, end }, rowOfResult({ key, n: rows.length })), ...at };
      case 'map':
      case 'process':
        return { row: windowRow({ start, end }, rowOfResult({ key, n: rows.length, sizes: rows.map(({ v }) => v).toSorted((a, b) => a - b) })), ...at };
      case 'numbers':
      case 'all': {
        const values = rows.map(({ v }) => v);
        const total = values.reduce((a, b) => a + b, 0);
        const others = form === 'numbers' ? { lo: Math.min(...values), hi: Math.max(...values), mean: total / values.length } : { squares: values.reduce((a, b) => a + b ** 2, 0), different: new Set(values).size };
        return { row: windowRow({ start, end }, rowOfResult({ key, n: values.length, total, ...others })), ...at };
      }
    }
  });
}
