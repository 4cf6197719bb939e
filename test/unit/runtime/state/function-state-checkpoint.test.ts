// State of functions that records come to one by one, and of the broadcast side, saved and restored.
import { describe, expect, it } from 'vitest';

import { TaskContext } from '../../../../ts/functions/task-context.ts';
import { BroadcastStore } from '../../../../ts/runtime/state/broadcast-store.ts';
import { FunctionState } from '../../../../ts/runtime/state/function-state.ts';
import { TaskStates } from '../../../../ts/runtime/state/task-states.ts';
import { VirtualClock } from '../../../../ts/testing/virtual-clock.ts';
import { SavedInstances, instanceOf, ownerOf } from '../checkpoint/saved-instances.ts';

/** A function that counts the records of each key, in one instance. */
class Counter {
  readonly state: FunctionState;
  readonly context: TaskContext;
  readonly task = new TaskStates();

  constructor() {
    this.context = new TaskContext({ operator: 'tested', config: {} } as ConstructorParameters<typeof TaskContext>[0]);
    this.state = new FunctionState({ context: this.context, clock: new VirtualClock(), isTolerant: false, task: this.task });
    this.context.keyed = this.state;
  }

  count(key: unknown): number {
    this.task.enter();
    this.context.key = key;
    const counted = this.state.state.value<number>('seen').update((n = 0) => n + 1);
    this.task.leave();
    return counted;
  }

  save(into: SavedInstances, instance: number, parallelism: number): void {
    const owner = ownerOf(instance, parallelism);
    into.save([this.state.statePart(owner)], owner);
  }

  static restore(from: SavedInstances, instance: number, parallelism: number): Counter {
    const counter = new Counter();
    const owner = ownerOf(instance, parallelism);
    from.restore([counter.state.statePart(owner)], owner);
    return counter;
  }
}

const keys = ['a', '\0odd', 7, -0, Number.NaN, null, undefined, true, 10n, { id: 1, of: [1, 'x'] }, new Date(5), [1, 2]];

describe('given a map that keeps state for each key, in two instances', () => {
  it('when three go on, then each key goes on with what it had, whatever kind of key it is', () => {
    const old = [new Counter(), new Counter()];
    for (const key of keys) for (let n = 0; n < 3; n++) old[instanceOf(key, 2)]!.count(key);
    const saved = new SavedInstances();
    old.forEach((counter, at) => counter.save(saved, at, 2));
    const next = [0, 1, 2].map((at) => Counter.restore(saved, at, 3));
    expect(keys.map((key) => next[instanceOf(key, 3)]!.count(key))).toEqual(keys.map(() => 4));
  });

  it('when nobody asks for the state between two checkpoints, then the second one has it too', () => {
    const first = new Counter();
    first.count('a');
    const saved = new SavedInstances();
    first.save(saved, 0, 1);
    const savedAgain = new SavedInstances();
    Counter.restore(saved, 0, 1).save(savedAgain, 0, 1);
    expect(Counter.restore(savedAgain, 0, 1).count('a')).toBe(2);
  });
});

describe('given state of the broadcast side', () => {
  const store = (): BroadcastStore => new BroadcastStore({ operator: 'tested', clock: new VirtualClock(), isTolerant: false });

  it('when more instances go on than there were, then each has what all had', () => {
    const saved = new SavedInstances();
    for (const at of [0, 1]) {
      const old = store();
      old.begin(true);
      old.map<string, number>('rules').set('limit', 9);
      old.begin(false);
      const owner = ownerOf(at, 2);
      saved.save([old.statePart(owner)], owner);
    }
    for (const at of [0, 1, 2]) {
      const next = store();
      const owner = ownerOf(at, 3);
      saved.restore([next.statePart(owner)], owner);
      expect(Array.from(next.map('rules'))).toEqual([['limit', 9]]);
    }
  });
});

describe('given a state that holds an object of a class', () => {
  class Money {
    amount = 1;
  }

  it('when it is saved, then the error names the state, the key and the class', () => {
    const counter = new Counter();
    counter.task.enter();
    counter.context.key = 'a';
    counter.state.state.value('plain').set(1);
    counter.state.state.value('money').set(new Money());
    expect(() => counter.save(new SavedInstances(), 0, 1)).toThrow(
      expect.objectContaining({ code: 'SAGE_STATE_VALUE', message: `the state 'money' of 'tested' for the key the string "a" holds an object of the class Money, which cannot be in a checkpoint` }),
    );
  });
});
