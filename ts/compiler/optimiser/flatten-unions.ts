import type { OperatorId } from '../../common/ids.ts';
import type { AppliedRule, LogicalOperator } from '../logical-plan.ts';
import { consumersById } from '../logical/plan-edges.ts';
import { type OptimiserRule, type Rewrite, unchanged } from './rule.ts';

/** A union that only feeds another union gives its inputs to that one. */
export const flattenUnions: OptimiserRule = {
  name: 'union flattening',
  apply(plan): Rewrite {
    const consumers = consumersById(plan);
    const inlined = new Map<OperatorId, LogicalOperator>();
    const applied: Omit<AppliedRule, 'rule'>[] = [];
    const operators = plan.operators.map((outer) => {
      if (outer.kind !== 'union') return outer;
      // Producers come first, so that an inner union has been flattened itself.
      const inputs = outer.inputs.flatMap((id) => inlined.get(id)?.inputs ?? [id]);
      const gone = [...new Set(outer.inputs)].filter((id) => inlined.has(id));
      if (gone.length > 0) {
        const names = gone.map((id) => `'${inlined.get(id)!.name}'`).join(', ');
        applied.push({ what: `gave the inputs of ${names} to '${outer.name}'`, removed: gone });
      }
      const flat: LogicalOperator = { ...outer, inputs };
      if (canBeInlined(flat, consumers.get(outer.id)!)) inlined.set(outer.id, flat);
      return flat;
    });
    if (applied.length === 0) return unchanged(plan);
    return { plan: { operators: operators.filter(({ id }) => !inlined.has(id)) }, applied, warnings: [] };
  },
};

/** An operator with a uid has been named by the user, who will look for its counts. */
function canBeInlined(union: LogicalOperator, consumers: readonly LogicalOperator[]): boolean {
  const [first] = consumers;
  return (
    first !== undefined &&
    union.uid === undefined &&
    consumers.every((consumer) => consumer === first && consumer.kind === 'union' && consumer.parallelism === union.parallelism) &&
    union.transformation.inMain === first.transformation.inMain
  );
}
