import { SageError } from '../../common/errors.ts';
import type { StageNode, StageOp } from '../../compiler/physical-plan.ts';
import type { LinkedNode, Pushed } from './linked-node.ts';
import type { StageBindings } from './stage-bindings.ts';

/** The branch for names that have none of their own. */
const DEFAULT = 'default';

type RouteOp = Extract<StageOp, { kind: 'route' }>;

/**
 * The branches that a router's result means, each once.
 *
 * @throws SageError SAGE_USER_WRONG_TYPE for a result that is no name, SAGE_ROUTE_UNKNOWN for a name without a branch.
 */
export function routesOf(op: RouteOp, result: unknown): readonly string[] {
  const names: readonly unknown[] = Array.isArray(result) ? result : [result];
  return [...new Set(names.map((name) => routeOf(op, name)))];
}

function routeOf({ names, unknown }: RouteOp, name: unknown): string {
  if (typeof name !== 'string') {
    throw new SageError('SAGE_USER_WRONG_TYPE', `a router returned ${name === null ? 'null' : typeof name} where the name of a branch is needed`, {
      help: 'Return a name, or an array of names (an empty one for none).',
    });
  }
  if (names === undefined || names.includes(name)) return name;
  if (unknown === 'default') return DEFAULT;
  throw new SageError('SAGE_ROUTE_UNKNOWN', `there is no branch '${name}'; there are ${names.map((known) => `'${known}'`).join(', ')}`);
}

/** Gives a record to the branches of some names. One that nobody takes is counted. */
export function sendToRoutes(
  node: StageNode,
  { dropped }: StageBindings,
  linked: readonly LinkedNode[],
  names: readonly string[],
  value: unknown,
  key: unknown,
): Pushed {
  let all: Promise<void> | undefined;
  let taken = node.children.length > 0;
  for (const name of names) {
    for (const side of node.sides) {
      if (side.channel !== 'branch' || side.tag !== name) continue;
      taken = true;
      const branch = linked[side.node]!;
      if (all === undefined) all = branch.push(value, key);
      else all = all.then(() => branch.push(value, key));
    }
  }
  if (!taken) dropped[node.id]!++;
  return all;
}
