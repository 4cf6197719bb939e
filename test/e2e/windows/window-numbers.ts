import { avg, count, max, min, sum } from '../../../ts/index.ts';
import type { Event } from './naive-windows.ts';

/** What is asked of the records of a window. */
export const NUMBERS = { n: count(), total: sum('value'), mean: avg('value'), least: min('value'), most: max('value') } as const;

/** The results of those. */
export interface WindowNumbers {
  readonly n: number;
  readonly total: number;
  readonly mean: number;
  readonly least: number;
  readonly most: number;
}

/** Them by their definition. */
export function numbersOf(elements: readonly Event[]): WindowNumbers {
  const values = elements.map(({ value }) => value);
  const total = values.reduce((a, b) => a + b, 0);
  return { n: values.length, total, mean: total / values.length, least: Math.min(...values), most: Math.max(...values) };
}

/** The two greatest values. */
export const topTwoOf = (elements: readonly Event[]): number[] => elements.map(({ value }) => value).toSorted((a, b) => b - a).slice(0, 2);
