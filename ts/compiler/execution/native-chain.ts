import { isBuiltinAggregator } from '../../functions/aggregator.ts';
import type { BuiltinSpec } from './aggregate-specs.ts';
import { aggregateSpecs } from './aggregate-specs.ts';
import { windowSpec } from './window-spec.ts';
import { Expression } from '../../functions/expressions/expression.ts';
import type { ExpressionNode, LiteralValue } from '../../functions/expressions/expression-node.ts';
import { expressionText } from '../../functions/expressions/expression-text.ts';
import { isFieldPath } from '../../functions/field-path.ts';
import { isExpressionNode } from '../op-expressions.ts';
import type { AggregatorSpec, Exchange, Stage, StageNode } from '../physical-plan.ts';

/** Kinds of writers take what has no column of its own as JSON; JavaScript takes anything. */
export type Mixed = 'any' | 'json';

/** Whether what a stage of the core sends goes to writers alone. */
export function mixedOf(stage: Stage, stages: readonly Stage[], exchanges: readonly Exchange[]): Mixed {
  const targets = stage.outputs.map((exchange) => stages[exchanges[exchange]!.to.stage]!.nodes[0]!.op);
  return targets.every((op) => op.kind === 'native') ? 'json' : 'any';
}

/**
 * The operators of a native stage that each batch goes through, as JSON for `NativeChain` of the crate `sage-expressions`; nothing for a reader
 * or writer alone. Nodes are the numbers under which they are counted.
 */
export function chainSpec({ nodes }: Stage, mixed: Mixed): string | undefined {
  if (nodes.length === 1) return undefined;
  const operators = nodes.flatMap((node) => operatorSpec(node, nodes, mixed));
  return JSON.stringify({ nodes: nodes.length, operators, timed: isTimed(nodes) });
}

/** Whether what the stage sends has event times. */
function isTimed(nodes: readonly StageNode[]): boolean {
  return nodes.some(({ op }) => op.kind === 'output' && op.timed);
}

/** An aggregate of the core, as JSON for its task; nothing where the stage has none. */
export function aggregateTaskSpec({ nodes }: Stage, mixed: Mixed): string | undefined {
  for (const { op, id } of nodes) {
    if (op.kind === 'aggregate') {
      return JSON.stringify({ aggregators: aggregateSpecs(op.spec as BuiltinSpec), names: Object.keys(op.spec), keyed: op.keyed, mixed, node: id });
    }
    if (op.kind === 'window' && op.result.kind === 'aggregate') {
      return JSON.stringify({ windows: windowSpec(op, 'core'), names: Object.keys(op.result.spec), keyed: op.keyed, mixed, node: id, timed: isTimed(nodes) });
    }
  }
  return undefined;
}

function operatorSpec({ id, op }: StageNode, nodes: readonly StageNode[], mixed: Mixed): readonly object[] {
  switch (op.kind) {
    case 'filter':
      return isExpressionNode(op.fn) ? [{ node: id, filter: expressionSpec(op.fn) }] : [];
    case 'select': {
      const select = op.columns.map(([name, expression]) => [name, expressionSpec(Expression.nodeOf(expression))]);
      return [{ node: id, select, keepsOthers: op.keepsOthers, mixed }];
    }
    case 'assignTimestamps': {
      const { selector, settings } = op;
      if (!isFieldPath(selector)) return [];
      const { outOfOrdernessMs, maxAheadMs } = settings;
      // JSON has no infinity: without the member there is no limit.
      return [{ node: id, timestamps: { field: selector.segments[0], outOfOrdernessMs, ...(Number.isFinite(maxAheadMs) ? { maxAheadMs } : {}) } }];
    }
    case 'extract': {
      const keyBy = nodes.find((node) => node.op.kind === 'keyBy');
      return [{ node: id, keyNode: keyBy?.id ?? id, key: keySpec(keyBy), inputs: inputSpecs(op.spec) }];
    }
    default:
      return [];
  }
}

function keySpec(node: StageNode | undefined): object | null {
  if (node?.op.kind !== 'keyBy') return null;
  const { selector } = node.op;
  if (Expression.is(selector)) return expressionSpec(Expression.nodeOf(selector));
  return isFieldPath(selector) ? { field: selector.segments[0] } : null;
}

function inputSpecs(spec: AggregatorSpec): readonly object[] {
  return Object.entries(spec).flatMap(([name, aggregator]) => {
    if (!isBuiltinAggregator(aggregator) || aggregator.input === undefined) return [];
    const { input } = aggregator;
    const node: ExpressionNode | undefined = Expression.is(input) ? Expression.nodeOf(input) : isFieldPath(input) ? { kind: 'column', path: input } : undefined;
    return node === undefined ? [] : [{ called: `${name}: ${aggregator.name}(...)`, expression: expressionSpec(node) }];
  });
}

/** An expression for the core, each node with its text for messages. */
export function expressionSpec(node: ExpressionNode): object {
  const text = expressionText(node).toWellFormed();
  switch (node.kind) {
    case 'column':
      return { text, path: node.path.segments };
    case 'literal':
      return { text, ...literalSpec(node.value) };
    case 'call':
      return { text, operation: node.operation, operands: node.operands.map(expressionSpec) };
  }
}

/** Numbers as texts: JSON has not all of them. */
function literalSpec(value: LiteralValue): object {
  if (value === null) return { null: true };
  if (value instanceof Date) return { date: numberText(value.getTime()) };
  if (typeof value === 'number') return { number: numberText(value) };
  if (typeof value === 'boolean') return { boolean: value };
  return { string: value.isWellFormed() ? value : Array.from({ length: value.length }, (_, n) => value.charCodeAt(n)) };
}

function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}
