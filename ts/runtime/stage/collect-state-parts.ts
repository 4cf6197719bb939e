import { type PartOwner, partOwner } from '../checkpoint/part-owner.ts';
import { type StatePart, takenOver } from '../checkpoint/state-part.ts';
import { ownValuePart } from '../checkpoint/value-parts.ts';
import type { StageBindings } from './stage-bindings.ts';

/** Everything that the operators of a task keep from one record to the next, but for what user functions keep by key or for the broadcast side. */
export function collectStateParts({ stage, keyed, holders, gates, state, indexes, assigners }: StageBindings, instance: number): StatePart[] {
  return stage.nodes.flatMap((node) => {
    const { id } = node;
    const owner = partOwner(node, { instance, parallelism: stage.parallelism });
    const index = indexes[id];
    return [
      ...(keyed[id]?.stateParts(owner) ?? []),
      ...(holders[id]?.stateParts(owner) ?? []),
      ...(gates[id]?.stateParts?.(owner) ?? []),
      ...(state[id] === undefined ? [] : [state[id].statePart(owner)]),
      ...(assigners[id] === undefined ? [] : [assigners[id].statePart(owner)]),
      ...(index === undefined ? [] : [indexPart(owner, index)]),
    ];
  });
}

/** Of a `zipWithIndex`, which counts in each instance for itself: a new one that takes over several goes on behind all of them. */
function indexPart(owner: PartOwner, index: { next: number }): StatePart {
  return ownValuePart<number>(owner, {
    name: 'index',
    describe: () => 'the index',
    save: () => index.next,
    restore: (saved) => {
      index.next = Math.max(0, ...takenOver(saved, owner.instance, owner.parallelism).map(({ value }) => value));
    },
  });
}
