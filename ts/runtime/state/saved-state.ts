import { isStorable } from './stored-size.ts';

/** What one state holds for one key, in a checkpoint. */
export type SavedState = readonly [
  name: string,
  /** Of what kind it is: what has to be the same when it is declared again. */
  type: string,
  hasTtl: boolean,
  /** As `SlotState.save` gives it. */
  saved: unknown,
  /** Of the form of its values; 1 where there is none. */
  version?: number,
];

/** What expires is kept with the time of it; this makes of one form the other, when a state has been given a time to live, or has lost it. */
export function withTtl([, type, hadTtl, saved]: SavedState, ttlMs: number | undefined, nowMs: number): unknown {
  const hasTtl = ttlMs !== undefined;
  if (hadTtl === hasTtl) return saved;
  const untilMs = nowMs + (ttlMs ?? 0);
  switch (type) {
    case 'list': {
      if (!hasTtl) return (saved as [unknown[], number[]])[0];
      const items = saved as unknown[];
      return [items, items.map(() => untilMs)];
    }
    case 'map': {
      const parts = saved as unknown[];
      if (!hasTtl) return parts.filter((_, n) => n % 3 !== 2);
      return Array.from({ length: parts.length / 2 }, (_, n) => [parts[2 * n], parts[2 * n + 1], untilMs]).flat();
    }
    default:
      return hasTtl ? [saved, untilMs] : (saved as [unknown, number])[0];
  }
}

/** Epoch milliseconds from which on nothing of it is there any more; nothing for what does not expire. */
export function expiresAtMs([, type, hasTtl, saved]: SavedState): number | undefined {
  if (!hasTtl) return undefined;
  switch (type) {
    case 'list':
      return latest((saved as [unknown[], number[]])[1]);
    case 'map':
      return latest((saved as number[]).filter((_, n) => n % 3 === 2));
    default:
      return (saved as [unknown, number])[1];
  }
}

/** Which of the states of a key cannot be saved, for a message. */
export function describeStates(states: readonly SavedState[]): string {
  const wrong = states.find(([, , , saved]) => !isStorable(saved)) ?? states[0];
  return `the state '${wrong?.[0]}'`;
}

function latest(times: readonly number[]): number {
  return times.reduce((last, time) => Math.max(last, time), 0);
}
