import { expect } from 'vitest';

/** What a record has its function do. */
export type Action =
  | { readonly kind: 'event' | 'cancel event' | 'processing' | 'cancel processing'; readonly inMs: number }
  | { readonly kind: 'set'; readonly value: number }
  | { readonly kind: 'append'; readonly value: number }
  | { readonly kind: 'put'; readonly name: string; readonly value: number }
  | { readonly kind: 'clear' };

export interface Scripted {
  readonly id: number;
  readonly key: string;
  readonly at: number;
  readonly actions: readonly Action[];
  /** How often it fails before it succeeds. */
  readonly failures: number;
}

/** One call of the function that succeeded, as it saw the world. */
export interface Call {
  readonly instance: number;
  readonly key: string;
  /** Nothing for a timer. */
  readonly id: number | undefined;
  readonly timer: { readonly time: number; readonly kind: 'event' | 'processing' } | undefined;
  readonly watermark: number;
  readonly timestamp: number | undefined;
  readonly value: number | undefined;
  readonly list: readonly number[];
  readonly map: readonly (readonly [string, number])[];
}

interface Timer {
  readonly key: string;
  readonly time: number;
}

/** State and timers of one instance, in plain maps and a list. */
class Instance {
  readonly value = new Map<string, number>();
  readonly list = new Map<string, number[]>();
  readonly map = new Map<string, Map<string, number>>();
  /** In the order in which they were registered. */
  event: Timer[] = [];
  processing: Timer[] = [];
  watermark = Number.NEGATIVE_INFINITY;

  act(key: string, nowMs: number, actions: readonly Action[], isTimerAtEnd: boolean): void {
    for (const action of actions) {
      switch (action.kind) {
        case 'event':
        case 'processing': {
          const time = nowMs + action.inMs;
          const timers = this[action.kind];
          if (!isTimerAtEnd && !timers.some((timer) => timer.key === key && timer.time === time)) timers.push({ key, time });
          break;
        }
        case 'cancel event':
          this.event = this.event.filter((timer) => timer.key !== key || timer.time !== nowMs + action.inMs);
          break;
        case 'cancel processing':
          this.processing = this.processing.filter((timer) => timer.key !== key || timer.time !== nowMs + action.inMs);
          break;
        case 'set':
          this.value.set(key, action.value);
          break;
        case 'append':
          this.list.set(key, [...(this.list.get(key) ?? []), action.value]);
          break;
        case 'put':
          this.map.set(key, new Map([...(this.map.get(key) ?? []), [action.name, action.value]]));
          break;
        case 'clear':
          this.value.delete(key);
          this.list.delete(key);
          this.map.delete(key);
          break;
      }
    }
  }

  /** The next timer of event time that has to fire before anything else. */
  get due(): Timer | undefined {
    return this.event.filter(({ time }) => time < this.watermark).toSorted((a, b) => a.time - b.time)[0];
  }
}

/** What a timer has its function do: as much as it takes to register and cancel others, and to change state, for a while. */
export function actionsOfTimer(time: number): readonly Action[] {
  const inMs = (Math.abs(time) % 5) - 1;
  if (time % 3 === 0) return [{ kind: 'append', value: time }, { kind: 'event', inMs: inMs === 0 ? 1 : Math.abs(inMs) }];
  if (time % 3 === 1) return [{ kind: 'set', value: time }, { kind: 'cancel event', inMs: 2 }];
  return [{ kind: 'clear' }];
}

/**
 * Goes through the calls in the order in which they were made, with state and timers in plain collections, and holds each call against what it
 * had to see. How far event time is between two records depends on batches; what follows from that does not.
 */
export function replay(records: readonly Scripted[], calls: readonly Call[]): void {
  const instances = new Map<number, Instance>();
  const homes = new Map<string, number>();
  const seen = new Map<string, number[]>();
  for (const call of calls) {
    let instance = instances.get(call.instance);
    if (instance === undefined) instances.set(call.instance, (instance = new Instance()));
    expect(homes.get(call.key) ?? call.instance, 'a key has one instance').toBe(call.instance);
    homes.set(call.key, call.instance);
    expect(call.watermark, 'event time never goes back').toBeGreaterThanOrEqual(instance.watermark);
    instance.watermark = call.watermark;
    expect({ value: call.value, list: call.list, map: call.map }).toEqual({
      value: instance.value.get(call.key),
      list: instance.list.get(call.key) ?? [],
      map: [...(instance.map.get(call.key) ?? [])],
    });
    const { due } = instance;
    if (call.timer === undefined) {
      expect(due, `a timer had to fire before record ${call.id}`).toBe(undefined);
      const record = records.find(({ id }) => id === call.id)!;
      expect(call.timestamp).toBe(record.at);
      seen.set(call.key, [...(seen.get(call.key) ?? []), record.id]);
      instance.act(call.key, record.at, record.actions, false);
    } else if (call.timer.kind === 'event') {
      const { time } = call.timer;
      expect({ key: call.key, time, timestamp: call.timestamp }).toEqual({ ...due, timestamp: time });
      instance.event = instance.event.filter((timer) => timer !== due);
      instance.act(call.key, time, actionsOfTimer(time), call.watermark === Number.POSITIVE_INFINITY);
    } else {
      const [first] = instance.processing.toSorted((a, b) => a.time - b.time);
      expect(due, 'a timer of event time had to fire first').toBe(undefined);
      expect({ key: call.key, time: call.timer.time, timestamp: call.timestamp }).toEqual({ ...first, timestamp: undefined });
      instance.processing = instance.processing.filter((timer) => timer !== first);
    }
  }
  for (const { event, processing } of instances.values()) expect([event, processing], 'timers that never fired').toEqual([[], []]);
  const expected = new Map<string, number[]>();
  for (const { key, id } of records) expected.set(key, [...(expected.get(key) ?? []), id]);
  expect(seen).toEqual(expected);
}
