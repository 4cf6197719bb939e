import { outcomeOf } from '../../transformations/error-policy.ts';
import type { AppliedRule, LogicalOperator } from '../logical-plan.ts';
import { consumersById, operatorsById } from '../logical/plan-edges.ts';
import { runsInCore } from '../native-aggregates.ts';
import { windowKeeper } from '../windows.ts';
import { type OptimiserRule, type Rewrite, unchanged } from './rule.ts';

/**
 * Before an exchange into an aggregate that the core computes, with windows or without, records become what it needs: the key and the inputs of
 * the aggregators. Everything else of the record need not travel.
 */
export const extractAggregateInputs: OptimiserRule = {
  name: 'projection before an exchange',
  apply(plan): Rewrite {
    const byId = operatorsById(plan);
    const consumers = consumersById(plan);
    const applied: Omit<AppliedRule, 'rule'>[] = [];
    let nextId = Math.max(...plan.operators.map(({ id }) => id)) + 1;
    const operators = plan.operators.flatMap((operator): LogicalOperator[] => {
      if ((operator.kind === 'aggregate' || operator.kind === 'window') && operator.inCore && operator.keyedBy === undefined && !isKeyed(operator)) {
        const input = byId.get(operator.inputs[0]!)!;
        const extract = extractBefore(operator, input, nextId++);
        applied.push({ what: `only the inputs of '${operator.name}' go to it`, removed: [] });
        return [extract, { ...operator, inputs: [extract.id], aggregateInput: 'extracted' }];
      }
      const keyBy = operator.kind === 'aggregate' || operator.kind === 'window' ? byId.get(operator.inputs[0]!) : undefined;
      if (keyBy?.kind !== 'keyBy' || !canExtract(operator)) return [operator];
      // Another consumer of the same records would need the exchange of whole records beside this one.
      if (consumers.get(keyBy.id)!.length > 1) return [operator];
      if (!keyBy.inCore && keyBy.parallelism === 1 && operator.parallelism === 1) return [operator];
      const extract = { ...extractBefore(operator, keyBy, nextId++), parallelismReason: 'as the keyBy before it', keyedBy: keyBy.id };
      applied.push({ what: `only the key${operator.kind === 'window' && keyBy.timed ? ', the time' : ''} and the inputs of '${operator.name}' go through the exchange`, removed: [] });
      return [extract, { ...operator, inputs: [extract.id], aggregateInput: 'extracted' }];
    });
    return applied.length === 0 ? unchanged(plan) : { plan: { operators }, applied, warnings: [] };
  },
};

function isKeyed({ transformation }: LogicalOperator): boolean {
  return (transformation.kind === 'aggregate' || transformation.kind === 'window') && transformation.keyed;
}

/** What reads the inputs of an aggregate, where the operator before it is. */
function extractBefore(aggregate: LogicalOperator, before: LogicalOperator, id: number): LogicalOperator {
  return {
    ...aggregate,
    id,
    uid: undefined,
    name: `${aggregate.name} (inputs)`,
    kind: 'extract',
    inputs: [before.id],
    parallelism: before.parallelism,
    parallelismReason: 'as the operator before it',
    elastic: before.elastic,
    takesTime: before.timed,
    timed: before.timed,
    // Behind a reader an aggregate over all records is in the core.
    inCore: isKeyed(aggregate) ? before.inCore : true,
    whyNotInCore: undefined,
    aggregateInput: undefined,
    extractsFor: aggregate,
  };
}

function canExtract({ transformation }: LogicalOperator): boolean {
  // A dead letter is the whole record, and comes out of the aggregate.
  if (outcomeOf(transformation.errorPolicy) === 'deadLetter') return false;
  if (transformation.kind === 'window') {
    const { keyed, result, settings } = transformation;
    // A late record is given as it came.
    return keyed && settings.lateTag === undefined && windowKeeper(result, settings) === 'core';
  }
  return transformation.kind === 'aggregate' && transformation.keyed && runsInCore(transformation.spec, transformation.emit);
}
