import type { OperatorId } from '../../common/ids.ts';
import type { Transformation } from '../../transformations/transformation.ts';
import type { EarlyEnd } from '../physical-plan.ts';

/** What has to be known of an operator: those of pipelines and of plans have it. */
interface Node {
  readonly id: OperatorId;
  readonly transformation: Transformation;
  readonly inputs: readonly OperatorId[];
}

/**
 * The operators that may never end by themselves (sources, flatMaps in the middle of a record, and what sends records around a loop) but have nothing left to do once
 * certain limits have been reached: on every way from there to a sink is one of them. Limits of single keys do not count, as
 * there may always be another key, unless they let nothing pass.
 */
export function findEarlyEnds(nodes: readonly Node[]): readonly EarlyEnd[] {
  const consumers = new Map<OperatorId, Node[]>(nodes.map(({ id }) => [id, []]));
  for (const node of nodes) for (const input of node.inputs) consumers.get(input)?.push(node);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  for (const { id, transformation } of nodes) {
    const head = transformation.kind === 'fillFuture' ? byId.get(transformation.future.id) : undefined;
    if (head !== undefined) consumers.get(id)!.push(head);
  }
  return nodes.flatMap((node): EarlyEnd[] => {
    const { kind } = node.transformation;
    if (kind !== 'source' && kind !== 'flatMap' && kind !== 'fillFuture') return [];
    const limits = limitsBelow(node, consumers);
    return limits === undefined || limits.length === 0 ? [] : [{ operator: node.id, limits }];
  });
}

/** `undefined` when a sink can be reached without passing a limit. */
function limitsBelow(from: Node, consumers: ReadonlyMap<OperatorId, readonly Node[]>): OperatorId[] | undefined {
  const limits = new Set<OperatorId>();
  const seen = new Set<OperatorId>([from.id]);
  const open = [from];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const consumer of consumers.get(node.id)!) {
      const { transformation } = consumer;
      if (transformation.kind === 'sink') return undefined;
      if (transformation.kind === 'limit' && (!transformation.keyed || transformation.max === 0)) limits.add(consumer.id);
      else if (!seen.has(consumer.id)) {
        seen.add(consumer.id);
        open.push(consumer);
      }
    }
  }
  return [...limits];
}
