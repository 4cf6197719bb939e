import type { OperatorId } from '../../common/ids.ts';
import { formatSourceLocation } from '../../common/source-location.ts';
import { consumersById } from '../logical/plan-edges.ts';
import { type OptimiserRule, type Rewrite, unchanged } from './rule.ts';

/** Operators whose records reach no sink are left out, with a warning for each stream that ends nowhere. */
export const removeDeadBranches: OptimiserRule = {
  name: 'dead branches',
  apply(plan): Rewrite {
    const alive = new Set<OperatorId>();
    for (let before = -1; before !== alive.size; ) {
      before = alive.size;
      for (const { id, kind, inputs, transformation } of plan.operators.toReversed()) {
        if (kind !== 'sink' && !alive.has(id)) continue;
        [id, ...inputs].forEach((one) => alive.add(one));
        // What comes back has to be sent.
        if (transformation.kind === 'fromFuture' && transformation.filledBy !== undefined) alive.add(transformation.filledBy.id);
      }
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
