import type { PartOwner } from '../checkpoint/part-owner.ts';
import { type StatePart, takenOver } from '../checkpoint/state-part.ts';
import { type SavedValue, keyedValuePart, ownValuePart } from '../checkpoint/value-parts.ts';
import { keyIdentity } from './key-identity.ts';
import type { StreamTime } from './stage-times.ts';

/** A record that is in an asynchronous operator when a barrier comes. */
export interface SavedCall {
  readonly key: unknown;
  readonly time: number | undefined;
  /** The record whose call has to be made again; or the result of one that has come and cannot leave yet. */
  readonly record?: unknown;
  readonly result?: unknown;
  readonly isDone: boolean;
}

/** What is in the operator, in the order in which it is to leave where that counts: records, and how far event time is between them. */
export type SavedStep = SavedCall | StreamTime;

/** Of a call under its key: where it stands among all steps of its instance. */
interface PlacedCall extends Omit<SavedCall, 'key'> {
  readonly instance: number;
  readonly place: number;
}

/** Of an instance whose calls are kept by key: what is not of a key. */
interface SavedTimes {
  readonly times: readonly (StreamTime & { readonly place: number })[];
  /** How far event time was behind all. */
  readonly told: StreamTime | undefined;
}

/** An operator that has calls in flight. */
export interface CallsInFlight {
  /** How far event time is behind all records so far. */
  readonly told: StreamTime | undefined;
  saved(): SavedStep[];
  restore(steps: readonly SavedStep[]): void;
}

const describe = (): string => 'a record whose call is in flight, or its result,';

/** The parts of an operator whose records go to any instance. */
export function callParts(owner: PartOwner, calls: CallsInFlight): StatePart[] {
  return [
    ownValuePart<readonly SavedStep[]>(owner, {
      name: 'calls',
      describe,
      save: () => calls.saved(),
      restore: (saved) => {
        const [same] = takenOver(saved, owner.instance, owner.parallelism);
        if (same !== undefined && isSame(saved, owner)) calls.restore(same.value as readonly SavedStep[]);
        else calls.restore(withoutTimes(takenOver(saved, owner.instance, owner.parallelism).flatMap(({ value }) => value as readonly SavedStep[]), undefined));
      },
    }),
  ];
}

/** The parts of one on a keyed stream: calls stay with their key. */
export function keyedCallParts(owner: PartOwner, calls: CallsInFlight): StatePart[] {
  /** What was restored of the times, which come first. */
  let times: readonly SavedValue<SavedTimes>[] = [];
  return [
    ownValuePart<SavedTimes>(owner, {
      name: 'time',
      describe: () => 'the watermark',
      save: () => ({ times: calls.saved().flatMap((step, place) => ('watermark' in step ? [{ ...step, place }] : [])), told: calls.told }),
      restore: (saved) => {
        times = saved;
      },
    }),
    keyedValuePart<readonly PlacedCall[]>(owner, {
      name: 'calls',
      describe,
      save: () => callsByKey(owner, calls.saved()),
      restore: (entries) => {
        const placed: (PlacedCall & { readonly key: unknown })[] = [];
        for (const [key, own] of entries) for (const call of own) placed.push({ ...call, key });
        placed.sort((a, b) => a.place - b.place || a.instance - b.instance);
        const steps = placed.map(({ key, time, record, result, isDone }): SavedStep => ({ key, time, record, result, isDone }));
        const own = isSame(times, owner) ? times.find(({ instance }) => instance === owner.instance) : undefined;
        if (own === undefined) calls.restore(withoutTimes(steps, leastOf(times)));
        else calls.restore(merged(placed, steps, own.value));
        times = [];
      },
    }),
  ];
}

/** Whether there are as many instances as there were, so that each goes on with what it had. */
function isSame(saved: readonly SavedValue<unknown>[], { parallelism }: PartOwner): boolean {
  return saved.length === parallelism && saved.every((one) => one.parallelism === parallelism);
}

function callsByKey({ instance }: PartOwner, steps: readonly SavedStep[]): Iterable<readonly [unknown, readonly PlacedCall[]]> {
  const byKey = new Map<unknown, readonly [unknown, PlacedCall[]]>();
  steps.forEach((step, place) => {
    if ('watermark' in step) return;
    const { key, ...call } = step;
    const identity = keyIdentity(key);
    let own = byKey.get(identity);
    if (own === undefined) byKey.set(identity, (own = [key, []]));
    own[1].push({ ...call, instance, place });
  });
  return byKey.values();
}

/** Between which records event time went on is known of single instances only: it goes on behind all. */
function withoutTimes(steps: readonly SavedStep[], last: StreamTime | undefined): SavedStep[] {
  const calls = steps.filter((step) => !('watermark' in step));
  return last === undefined ? calls : [...calls, last];
}

/** How far event time was for all instances. */
function leastOf(times: readonly SavedValue<SavedTimes>[]): StreamTime | undefined {
  let least: StreamTime | undefined;
  for (const { told } of times.map(({ value }) => value)) {
    if (told === undefined) return undefined;
    if (least === undefined || told.watermark < least.watermark) least = { watermark: told.watermark, isIdle: false };
  }
  return least;
}

/** Calls and times of one instance, in their order again. */
function merged(placed: readonly PlacedCall[], steps: readonly SavedStep[], { times }: SavedTimes): SavedStep[] {
  const all = [...placed.map(({ place }, n) => ({ place, step: steps[n]! })), ...times.map(({ place, watermark, isIdle }) => ({ place, step: { watermark, isIdle } as SavedStep }))];
  return all.toSorted((a, b) => a.place - b.place).map(({ step }) => step);
}
