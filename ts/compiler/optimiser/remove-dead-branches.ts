import type { OperatorId } from '../../common/ids.ts';
import { formatSourceLocation } from '../../common/source-location.ts';
import { consumersById } from '../logical/plan-edges.ts';
import { type OptimiserRule, type Rewrite, unchanged } from './rule.ts';

/** Operators whose records reach no sink are left out, with a warning for each stream that ends nowhere. */
export const removeDeadBranches: OptimiserRule = {
  name: 'dead branches',
  apply(plan): Rewrite {
    const alive = new Set<OperatorId>();
    for (const operator of plan.operators.toReversed()) {
      if (operator.kind === 'sink' || alive.has(operator.id)) [operator.id, ...operator.inputs].forEach((id) => alive.add(id));
    }
    const dead = plan.operators.filter(({ id }) => !alive.has(id));
    if (dead.length === 0) return unchanged(plan);
    const consumers = consumersById(plan);
    const ends = dead.filter(({ id }) => consumers.get(id)!.length === 0);
    return {
      plan: { operators: plan.operators.filter(({ id }) => alive.has(id)) },
      applied: [
        { what: `removed ${dead.map(({ name }) => `'${name}'`).join(', ')}: no sink below`, removed: dead.map(({ id }) => id) },
      ],
      warnings: ends.map(
        ({ name, transformation }) =>
          `the stream that ends with '${name}' (${formatSourceLocation(transformation.declaredAt)}) has no sink and does not run: ` +
          'end it with sink, print or collect, or remove it',
      ),
    };
  },
};
