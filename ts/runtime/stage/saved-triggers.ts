import type { WindowBounds } from '../../functions/windows/window-bounds.ts';

/** Which of the queues of a trigger: of the time that windows go by, or of the clock where that is another one. */
export type TriggerQueue = 'main' | 'clock';

/** What a trigger of the user keeps of one window, in a checkpoint. */
export interface SavedTrigger {
  readonly state: unknown;
  readonly main: readonly number[];
  readonly clock: readonly number[];
  readonly awaitsEnd: boolean;
  readonly unfired: number;
  /** What waits in the queues, and in which place among all of the instance. */
  readonly queued: readonly (readonly [queue: TriggerQueue, time: number, place: number])[];
}

/** A window that has been restored. */
export interface RestoredTrigger {
  readonly acc: number;
  readonly slot: number;
  readonly bounds: WindowBounds;
  readonly saved: SavedTrigger;
}

/** How far time is for the triggers of one instance, in a checkpoint. */
export interface TriggerProgress {
  readonly watermark: number;
  readonly nowMs: number;
  readonly toldMs: number;
  readonly progress: number;
}

/** Time has come so far for all of these instances. */
export function leastProgress(saved: readonly TriggerProgress[]): TriggerProgress {
  const least = (name: keyof TriggerProgress): number => Math.min(...saved.map((one) => one[name]));
  return { watermark: least('watermark'), nowMs: least('nowMs'), toldMs: least('toldMs'), progress: least('progress') };
}
