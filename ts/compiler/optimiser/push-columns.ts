import { isBuiltinAggregator } from '../../functions/aggregator.ts';
import { Expression } from '../../functions/expressions/expression.ts';
import type { ExpressionNode } from '../../functions/expressions/expression-node.ts';
import type { AnyExpression } from '../../functions/expressions/expression-types.ts';
import { type FieldPath, isFieldPath } from '../../functions/field-path.ts';
import type { AnyAggregator } from '../../transformations/aggregate-transformation.ts';
import type { Transformation } from '../../transformations/transformation.ts';
import { ValidateTransformation } from '../../transformations/validate-transformation.ts';
import { outcomeOf } from '../../transformations/error-policy.ts';
import type { OperatorId } from '../../common/ids.ts';
import type { AppliedRule, LogicalOperator, LogicalPlan } from '../logical-plan.ts';
import { consumersById } from '../logical/plan-edges.ts';
import { type SchemaFields, strippedFields } from '../schema/stripped-fields.ts';
import { type OptimiserRule, type Rewrite, unchanged } from './rule.ts';

/**
 * A reader in the core reads only the columns that are used, where that can be known: when everything behind it names
 * its fields by paths. A column list of the user's own is left as it is.
 */
export const pushColumns: OptimiserRule = {
  name: 'projection in the source',
  apply(plan): Rewrite {
    const fields = fieldsRead(plan);
    const applied: Omit<AppliedRule, 'rule'>[] = [];
    const operators = plan.operators.map((operator): LogicalOperator => {
      const { source } = operator;
      if (source?.form !== 'native' || source.spec.type === 'textLines' || source.spec.columns !== undefined) return operator;
      const used = fields.get(operator.id)!;
      // No field at all is left alone: what counts rows still needs rows.
      if (used === 'all' || used.size === 0) return operator;
      // In a file with columns of its own, one that is asked for must be there.
      if (source.spec.type !== 'jsonLines' && [...used.values()].some(({ mayBeMissing }) => mayBeMissing)) return operator;
      const columns = [...used.keys()].toSorted();
      applied.push({ what: `'${operator.name}' reads only ${columns.join(', ')}`, removed: [] });
      return { ...operator, source: { ...source, spec: { ...source.spec, columns } } };
    });
    return applied.length === 0 ? unchanged(plan) : { plan: { operators }, applied, warnings: [] };
  },
};

type Fields = SchemaFields | 'all';

const NONE: Fields = new Map();

/** For each operator, the fields of its output records that are read somewhere below. */
function fieldsRead(plan: LogicalPlan): ReadonlyMap<OperatorId, Fields> {
  const consumers = consumersById(plan);
  const read = new Map<OperatorId, Fields>();
  for (const operator of plan.operators.toReversed()) {
    read.set(operator.id, join(consumers.get(operator.id)!.map((consumer) => fieldsOf(consumer, read))));
  }
  return read;
}

/** The fields that an operator and what it hands on to read of the records it takes. */
function fieldsOf(operator: LogicalOperator, read: ReadonlyMap<OperatorId, Fields>): Fields {
  const { transformation } = operator;
  // A dead letter has the whole record.
  if (outcomeOf(transformation.errorPolicy) === 'deadLetter') return 'all';
  switch (operator.kind) {
    case 'union':
    case 'rebalance':
    case 'sample':
    case 'limit':
      return read.get(operator.id)!;
    case 'filter':
      if (transformation.kind !== 'filter' || !Expression.is(transformation.fn)) return 'all';
      return join([fieldsOfExpression(transformation.fn), read.get(operator.id)!]);
    case 'select': {
      if (transformation.kind !== 'select') return 'all';
      const own = transformation.columns.map(([, expression]) => fieldsOfExpression(expression));
      if (!transformation.keepsOthers) return join(own);
      const behind = read.get(operator.id)!;
      const made = new Set(transformation.columns.map(([name]) => name));
      return behind === 'all' ? 'all' : join([...own, new Map([...behind].filter(([name]) => !made.has(name)))]);
    }
    case 'dedup':
      if (transformation.kind !== 'dedup' || !isFieldPath(transformation.by)) return 'all';
      return join([one(transformation.by), read.get(operator.id)!]);
    case 'keyBy':
      if (transformation.kind !== 'keyBy') return 'all';
      if (Expression.is(transformation.selector)) return join([fieldsOfExpression(transformation.selector), read.get(operator.id)!]);
      return isFieldPath(transformation.selector) ? join([one(transformation.selector), read.get(operator.id)!]) : 'all';
    case 'map':
      return transformation instanceof ValidateTransformation ? (strippedFields(transformation.schema) ?? 'all') : 'all';
    case 'assignTimestamps':
      if (transformation.kind !== 'assignTimestamps' || !isFieldPath(transformation.selector)) return 'all';
      return join([one(transformation.selector), read.get(operator.id)!]);
    case 'extract':
      return aggregatedFields(transformation);
    case 'aggregate':
    case 'window':
      return operator.aggregateInput === 'extracted' ? NONE : aggregatedFields(transformation);
    default:
      return 'all';
  }
}

/** What an aggregate reads, of windows or without; all where whole records are kept. */
function aggregatedFields(transformation: Transformation): Fields {
  let spec: Readonly<Record<string, AnyAggregator>> | undefined;
  if (transformation.kind === 'aggregate') spec = transformation.spec;
  else if (transformation.kind === 'window' && transformation.settings.lateTag === undefined && transformation.result.kind === 'aggregate') spec = transformation.result.spec;
  if (spec === undefined) return 'all';
  return join(
    Object.values(spec).map((aggregator): Fields => {
      if (!isBuiltinAggregator(aggregator)) return 'all';
      if (aggregator.name === 'count') return NONE;
      if (Expression.is(aggregator.input)) return fieldsOfExpression(aggregator.input);
      return isFieldPath(aggregator.input) ? one(aggregator.input) : 'all';
    }),
  );
}

function one({ segments }: FieldPath, mayBeMissing = false): Fields {
  return new Map([[segments[0]!, { mayBeMissing }]]);
}

/** A field that is only looked at in case that it is there may be missing. */
function fieldsOfExpression(expression: AnyExpression): Fields {
  const fieldsOfNode = (node: ExpressionNode, mayBeMissing: boolean): Fields => {
    if (node.kind === 'column') return one(node.path, mayBeMissing);
    if (node.kind === 'literal') return NONE;
    const allows = node.operation === 'isNull' || node.operation === 'coalesce';
    return join(node.operands.map((operand) => fieldsOfNode(operand, mayBeMissing || allows)));
  };
  return fieldsOfNode(Expression.nodeOf(expression), false);
}

function join(all: readonly Fields[]): Fields {
  const fields = new Map<string, { readonly mayBeMissing: boolean }>();
  for (const some of all) {
    if (some === 'all') return 'all';
    for (const [name, field] of some) fields.set(name, fields.get(name)?.mayBeMissing === false ? fields.get(name)! : field);
  }
  return fields;
}
