import type { Stage, StageNode } from '../compiler/physical-plan.ts';

/** Operators that give the very object that they were given. */
const HANDS_ON: ReadonlySet<string> = new Set(['filter', 'dedup', 'sample', 'limit', 'rebalance', 'union', 'keyBy', 'assignTimestamps', 'route', 'sideOutput']);

const sharedOf = new WeakMap<Stage, ReadonlySet<number>>();

/** The nodes of a stage whose records somebody else is given too: an object that they change would change for the others. */
export function sharedNodes(stage: Stage): ReadonlySet<number> {
  let shared = sharedOf.get(stage);
  if (shared === undefined) {
    shared = new Set(stage.nodes.filter((node) => takersOf(node).length > 1).flatMap((node) => behind(stage, node)));
    sharedOf.set(stage, shared);
  }
  return shared;
}

function takersOf({ children, sides }: StageNode): number[] {
  return [...children, ...sides.filter(({ channel }) => channel === 'branch').map(({ node }) => node)];
}

/** All nodes that the records of a node come to as they are. */
function behind(stage: Stage, node: StageNode): number[] {
  return takersOf(node).flatMap((id) => {
    const taker = stage.nodes[id]!;
    return HANDS_ON.has(taker.op.kind) ? [id, ...behind(stage, taker)] : [id];
  });
}

/** Freezes a record and all that it holds, as far as JavaScript can: elements of typed arrays, Maps, Sets and Dates stay writable. */
export function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value) || ArrayBuffer.isView(value)) return;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
  if (value instanceof Map) for (const [key, part] of value) [key, part].forEach(deepFreeze);
  if (value instanceof Set) value.forEach(deepFreeze);
}
