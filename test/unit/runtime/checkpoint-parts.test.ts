import { describe, expect, it } from 'vitest';

import { RestoredState } from '../../../ts/runtime/checkpoint/restored-state.ts';
import type { OwnStatePart, SavedPart, StatePart } from '../../../ts/runtime/checkpoint/state-part.ts';
import { takenOver } from '../../../ts/runtime/checkpoint/state-part.ts';
import { TaskStateWriter } from '../../../ts/runtime/checkpoint/task-state-writer.ts';

const own = (name: string, save: () => Uint8Array, restore: OwnStatePart['restore'] = () => undefined): OwnStatePart => ({ kind: 'own', operator: 'parse', name, save, restore });

/** As the core fills them: here the group is the length of the key. */
function fill(_groups: number, entries: Uint8Array): void {
  const bytes = Buffer.from(entries.buffer, entries.byteOffset, entries.byteLength);
  for (let at = 0; at < bytes.length; at += 11 + bytes.readUInt32LE(at + 3) + bytes.readUInt32LE(at + 7)) bytes.writeUInt16LE(bytes.readUInt32LE(at + 3), at);
}

describe('the image of a task', () => {
  it('given parts of each kind, when it is written, then its bytes are those of the design', () => {
    const writer = new TaskStateWriter({ stateSave: (handle) => Uint8Array.of(handle), stateSaveChanges: () => null, keyGroupsFill: fill }, 128);
    const image = writer.write([
      own('position', () => Uint8Array.of(1, 2)),
      { kind: 'keyed', operator: 'sum', name: 's', save: (entries) => entries.put(Uint8Array.of(7, 7), Uint8Array.of(9)), restore: () => undefined },
      { kind: 'core', operator: 'sum', name: 'c', handle: 5 },
    ]);
    const text = (value: string): number[] => [value.length, 0, 0, 0, ...Buffer.from(value)];
    expect([...image]).toEqual([
      3, 0, 0, 0,
      ...text('parse'), ...text('position'), 1, 1, 2, 0, 0, 0, 1, 2,
      ...text('sum'), ...text('s'), 2, 1, 14, 0, 0, 0, 2, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 7, 7, 9,
      ...text('sum'), ...text('c'), 2, 1, 1, 0, 0, 0, 5,
    ]);
  });

  it.each([
    ['knows', Uint8Array.of(8, 8), [0, 2, 0, 0, 0, 8, 8]],
    ['does not know', null, [1, 1, 0, 0, 0, 5]],
  ])('given a part of the core that %s what has changed, when it is written on top of an epoch, then that is what it is', (_, changes, written) => {
    const writer = new TaskStateWriter({ stateSave: (handle) => Uint8Array.of(handle), stateSaveChanges: () => changes, keyGroupsFill: fill }, 128);
    const part: StatePart = { kind: 'core', operator: 'sum', name: 'c', handle: 5 };
    const head = 4 + 4 + 3 + 4 + 1 + 1;
    expect([...writer.write([part], true).subarray(head)]).toEqual(written);
    // On top of nothing all of it is.
    expect([...writer.write([part]).subarray(head)]).toEqual([1, 1, 0, 0, 0, 5]);
  });

  it('given one part twice, when it is written, then it is an error', () => {
    const writer = new TaskStateWriter({ stateSave: () => new Uint8Array(), stateSaveChanges: () => null, keyGroupsFill: fill }, 128);
    const part = own('position', () => new Uint8Array());
    expect(() => writer.write([part, part])).toThrow(/twice/);
  });
});

describe('what a job goes on from', () => {
  const restore = (read: readonly number[], part: StatePart): Uint8Array[] => {
    const given: Uint8Array[] = [];
    new RestoredState({ checkpointRead: () => Uint8Array.from(read), stateRestore: (_handle, entries) => void given.push(Uint8Array.from(entries)) }, 1, 0, 1).restore(part);
    return given;
  };

  it('given parts of two instances, when an own part is restored, then it gets both', () => {
    let saved: readonly SavedPart[] = [];
    restore([1, 2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 8, 1, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 9, 9], own('x', () => new Uint8Array(), (parts) => (saved = parts)));
    expect(saved.map(({ instance, parallelism, bytes }) => [instance, parallelism, ...bytes])).toEqual([[0, 2, 8], [1, 2, 9, 9]]);
  });

  it('given no such part, when it is restored, then it is left as it was made', () => {
    restore([0], own('x', () => new Uint8Array(), () => expect.unreachable()));
  });

  it('given entries, when they are of the core, then it gets them as they are', () => {
    expect(restore([2, 1, 2, 3], { kind: 'core', operator: 'a', name: 'b', handle: 1 })).toEqual([Uint8Array.of(1, 2, 3)]);
  });

  it('given state of an instance, when it is by key now, then it is an error', () => {
    expect(() => restore([1, 0, 0, 0, 0], { kind: 'core', operator: 'a', name: 'b', handle: 1 })).toThrow(/was saved as state of an instance/);
  });

  it('given any old and new instances, when parts are taken over, then each goes to exactly one', () => {
    const saved = Array.from({ length: 5 }, (_, instance): SavedPart => ({ instance, parallelism: 5, bytes: Buffer.alloc(0) }));
    for (const parallelism of [1, 2, 3, 7]) {
      const taken = Array.from({ length: parallelism }, (_, instance) => takenOver(saved, instance, parallelism)).flat();
      expect(taken.map(({ instance }) => instance).toSorted()).toEqual([0, 1, 2, 3, 4]);
    }
  });
});
