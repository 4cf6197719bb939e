import type { Clock } from '../../common/clock.ts';
import type { KeyedParts, TaskContext } from '../../functions/task-context.ts';
import type { KeyedState } from '../../functions/state/keyed-state.ts';
import type { Timers } from '../../functions/state/timers.ts';
import { ChangedSlots } from '../checkpoint/changed-slots.ts';
import type { PartOwner } from '../checkpoint/part-owner.ts';
import type { StatePart } from '../checkpoint/state-part.ts';
import { type StatesSink, keyedStatesPart } from '../checkpoint/states-part.ts';
import type { StateAnswer } from '../isolate/state-reads.ts';
import { statePlaceOf } from '../../transformations/state-settings.ts';
import { keyIdentity, keyOfIdentity } from '../stage/key-identity.ts';
import { SlotColumn } from '../stage/slot-column.ts';
import { KeyedStateStore } from './keyed-state-store.ts';
import { noDiskState, noTimers } from './missing-parts.ts';
import type { SavedState } from './saved-state.ts';
import type { TaskStates } from './task-states.ts';

/** What the state of a function needs of its operator. */
export interface FunctionStateOwner {
  readonly context: TaskContext;
  readonly clock: Clock;
  readonly isTolerant: boolean;
  readonly task: TaskStates;
}

/**
 * `ctx.state` of a function that records come to one by one: of a map, a filter, a sink ... There is nothing before it is asked for. From then
 * on `ctx.key`, which is set before each call, says that a call begins; which slot its key has is looked up when a state is touched, in a
 * map of this thread: no record crosses to the core.
 */
export class FunctionState implements KeyedParts {
  readonly #owner: FunctionStateOwner;
  #store: KeyedStateStore | undefined;
  #hasKey = false;
  /** Slots by identity of the key. */
  readonly #slots = new Map<unknown, number>();
  readonly #identities = new SlotColumn<unknown>();
  readonly #free: number[] = [];
  /** Slots of which something may have gone. */
  #touched: number[] = [];
  readonly #isTouched = new SlotColumn<boolean>();
  readonly #changed = new ChangedSlots();
  /** What was restored before the function has asked for its state, by identity of the key. */
  #restored: Map<unknown, readonly SavedState[]> | undefined;
  /** Calls since memory was last given back. */
  #calls = 0;

  constructor(owner: FunctionStateOwner) {
    this.#owner = owner;
  }

  get state(): KeyedState {
    return (this.#store ??= this.#start());
  }

  get timers(): Timers {
    throw noTimers(this.#owner.context);
  }

  #start(): KeyedStateStore {
    const { context, clock, isTolerant, task } = this.#owner;
    // The one place that decides where the state of these functions lies.
    if (statePlaceOf(context.config).kind === 'disk') throw noDiskState(context);
    const store = new KeyedStateStore({ operator: context.operator, clock, isTolerant, slotInHand: () => this.#slotInHand(), keyOf: (slot) => keyOfIdentity(this.#identities.get(slot)) });
    let { key } = context;
    this.#hasKey = task.isAtWork;
    Object.defineProperty(context, 'key', {
      configurable: true,
      enumerable: true,
      get: () => key,
      set: (next: unknown) => {
        key = next;
        store.commit();
        this.#hasKey = true;
        this.#calls++;
      },
    });
    task.use(this);
    for (const [identity, saved] of this.#restored ?? []) store.restore(this.#slotOf(identity), saved);
    this.#restored = undefined;
    return store;
  }

  /** What the states hold for each key; before the function has asked for any, what was restored. */
  statePart(owner: PartOwner): StatePart {
    return keyedStatesPart(owner, {
      save: (to) => this.#save(to),
      changes: (to) => this.#saveChanges(to),
      restore: (entries) => {
        for (const [key, saved] of entries) {
          const identity = keyIdentity(key);
          if (this.#store === undefined) (this.#restored ??= new Map()).set(identity, saved);
          else this.#store.restore(this.#slotOf(identity), saved);
        }
      },
    });
  }

  #save(to: StatesSink): void {
    this.#changed.restart();
    for (const [identity, saved] of this.#restored ?? []) to.put(keyOfIdentity(identity), saved);
    for (const [identity, slot] of this.#slots) {
      const saved = this.#store!.save(slot);
      if (saved.length > 0) to.put(keyOfIdentity(identity), saved);
    }
  }

  #saveChanges(to: StatesSink): boolean {
    const changed = this.#changed.takeSlots(this.#slots.size);
    if (changed === undefined) return false;
    // First, as a key may have come again.
    for (const identity of changed.gone) to.remove(keyOfIdentity(identity));
    for (const slot of changed.slots) {
      const identity = this.#identities.get(slot);
      if (this.#slots.get(identity) !== slot) continue;
      const saved = this.#store!.save(slot);
      if (saved.length === 0) to.remove(keyOfIdentity(identity));
      else to.put(keyOfIdentity(identity), saved);
    }
    return true;
  }

  /** The slot of the key in hand; one that is new gets one. */
  #slotInHand(): number | undefined {
    const { context, task } = this.#owner;
    if (!this.#hasKey || !task.isAtWork) return undefined;
    const slot = this.#slotOf(keyIdentity(context.key));
    this.#touch(slot);
    return slot;
  }

  #slotOf(identity: unknown): number {
    let slot = this.#slots.get(identity);
    if (slot === undefined) {
      slot = this.#free.pop() ?? this.#identities.length;
      this.#slots.set(identity, slot);
      this.#identities.set(slot, identity);
    }
    return slot;
  }

  #touch(slot: number): void {
    this.#changed.add(slot);
    if (this.#isTouched.get(slot) === true) return;
    this.#isTouched.set(slot, true);
    this.#touched.push(slot);
  }

  /** The attempt in hand has failed: nothing stays of what it has written. */
  rollback(): void {
    this.#store?.rollback();
  }

  /** Until the next record comes no key is in hand. */
  dropKey(): void {
    this.#store?.commit();
    this.#hasKey = false;
  }

  /** No record is on its way: gives back the memory of what has expired, and of keys that hold nothing any more. */
  leave(): void {
    this.dropKey();
    if (this.#touched.length === 0 && this.#calls === 0) return;
    const store = this.#store!;
    store.expire(this.#calls, (slot) => this.#touch(slot));
    this.#calls = 0;
    const touched = this.#touched;
    this.#touched = [];
    for (const slot of touched) {
      this.#isTouched.set(slot, false);
      if (!store.isEmpty(slot)) continue;
      const identity = this.#identities.get(slot);
      this.#changed.leave(() => identity);
      this.#slots.delete(identity);
      this.#identities.set(slot, undefined);
      this.#free.push(slot);
    }
    this.#owner.context.metrics.gauge('keys held').set(this.#slots.size);
  }

  /** What a state holds for a key now, for readers outside of the job's functions. */
  readState(name: string, key: unknown): StateAnswer {
    const state = this.#store?.named(name);
    if (state === undefined) return { kind: 'undeclared', names: this.#store?.names ?? [] };
    const slot = this.#slots.get(keyIdentity(key));
    const value = slot === undefined ? undefined : state.snapshot(slot);
    return value === undefined ? { kind: 'none' } : { kind: 'value', value };
  }
}
