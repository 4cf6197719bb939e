import type { AssignTimestampsTransformation } from '../../transformations/assign-timestamps-transformation.ts';
import type { BaseTransformation } from '../../transformations/base-transformation.ts';
import type { OperatorCounts } from '../../transformations/job.ts';
import type { Transformation } from '../../transformations/transformation.ts';

/** What an operator waits for. */
export interface HeldBack {
  /** The `assignTimestamps` that is behind. */
  readonly by: AssignTimestampsTransformation;
  /** Whether the streams come together at this operator, and not above it. */
  readonly isFirst: boolean;
  /** Whether one of those that are further has not ended: without this one event time would go on. */
  readonly wouldGoOn: boolean;
}

type Assigners = ReadonlySet<AssignTimestampsTransformation>;

/** What gives event time to the records of an operator: the nearest `assignTimestamps` on each way up. */
function assignersAbove(transformation: BaseTransformation, known: Map<BaseTransformation, Assigners>): Assigners {
  const before = known.get(transformation);
  if (before !== undefined) return before;
  const found = new Set<AssignTimestampsTransformation>();
  for (const input of transformation.inputs as readonly Transformation[]) {
    if (input.kind === 'assignTimestamps') found.add(input);
    else for (const assigner of assignersAbove(input, known)) found.add(assigner);
  }
  known.set(transformation, found);
  return found;
}

/** Whether event time of several streams comes together anywhere. */
export function mayBeHeldBack(transformations: Iterable<BaseTransformation>): boolean {
  const known = new Map<BaseTransformation, Assigners>();
  for (const transformation of transformations) if (assignersAbove(transformation, known).size > 1) return true;
  return false;
}

/**
 * For each operator with event time of several streams, the `assignTimestamps` that it waits for. It is found where these come
 * together, which is as far as the least of them: behind that, operators may hold event time back themselves. There the watermark of one is no
 * further than that of the operator, while another one's is. One that is idle holds nothing back.
 */
export function findHeldBack(operators: readonly OperatorCounts[], transformations: ReadonlyMap<number, BaseTransformation>): ReadonlyMap<number, HeldBack> {
  const counts = new Map(operators.map((operator) => [operator.id, operator]));
  const watermarkOf = (id: number): number => counts.get(id)?.watermark ?? Number.NEGATIVE_INFINITY;
  const known = new Map<BaseTransformation, Assigners>();
  const held = new Map<number, HeldBack>();
  // An operator comes behind its inputs.
  for (const id of [...counts.keys()].toSorted((a, b) => a - b)) {
    const transformation = transformations.get(id);
    if (transformation === undefined || transformation.kind === 'assignTimestamps') continue;
    const [input] = transformation.inputs;
    const own = watermarkOf(id);
    if (transformation.inputs.length === 1 && counts.has(input!.id)) {
      const above = held.get(input!.id);
      // What stands for several inputs of its own says nothing, and what is behind it is the first to wait.
      if (above !== undefined && watermarkOf(above.by.id) >= own) held.set(id, { ...above, isFirst: above.isFirst && input!.kind === 'comap' });
      continue;
    }
    const assigners = [...assignersAbove(transformation, known)];
    if (assigners.length < 2 || !assigners.some((assigner) => watermarkOf(assigner.id) > own)) continue;
    const [least] = assigners.toSorted((a, b) => watermarkOf(a.id) - watermarkOf(b.id));
    const wouldGoOn = assigners.some(({ id: one }) => watermarkOf(one) > own && watermarkOf(one) < Number.POSITIVE_INFINITY);
    if (watermarkOf(least!.id) <= own) held.set(id, { by: least!, isFirst: true, wouldGoOn });
  }
  // A handler for each input sees the time of its own input only, so that an idle one is known behind it.
  return new Map([...held].filter(([id]) => transformations.get(id)!.kind !== 'comap'));
}
