import { Expression } from '../../functions/expressions/expression.ts';
import { predicateNode } from '../../functions/expressions/predicate-node.ts';
import type { LogicalOperator } from '../logical-plan.ts';
import type { StageOp } from '../physical-plan.ts';

/** What the node of an operator does. */
export function stageOp(operator: LogicalOperator): StageOp {
  const { kind, transformation } = operator;
  switch (transformation.kind) {
    case 'source': {
      const source = operator.source ?? transformation.source;
      return source.form === 'native' ? { kind: 'native', role: 'source', spec: source.spec } : { kind: 'source', source };
    }
    case 'map':
    case 'flatMap':
    case 'process':
      return { kind: transformation.kind, fn: transformation.fn };
    case 'filter': {
      const { fn } = transformation;
      return { kind: 'filter', fn: Expression.is(fn) ? predicateNode(fn) : fn };
    }
    case 'select':
      return { kind: 'select', columns: transformation.columns, keepsOthers: transformation.keepsOthers };
    case 'keyBy':
      return { kind: 'keyBy', selector: transformation.selector };
    case 'union':
    case 'rebalance':
    case 'zipWithIndex':
      return { kind: transformation.kind };
    case 'mapAsync':
      return { kind: 'mapAsync', fn: transformation.fn, settings: transformation.settings };
    case 'batch':
      return { kind: 'batch', keyed: transformation.keyed, settings: transformation.settings };
    case 'dedup':
      return { kind: 'dedup', keyed: transformation.keyed, by: transformation.by, ttlMs: transformation.ttlMs };
    case 'sample':
      return { kind: 'sample', settings: transformation.settings };
    case 'limit':
      return { kind: 'limit', keyed: transformation.keyed, max: transformation.max };
    case 'route':
      return { kind: 'route', fn: transformation.router, names: transformation.names, unknown: transformation.unknown };
    case 'sideOutput':
      return { kind: 'sideOutput', channel: transformation.channel, tag: transformation.tag };
    case 'reduce':
      return { kind: 'reduce', keyed: transformation.keyed, fn: transformation.fn, emit: transformation.emit };
    case 'aggregate': {
      const { spec, keyed, emit } = transformation;
      if (kind === 'extract') return { kind: 'extract', spec };
      return { kind: 'aggregate', keyed, spec, emit, input: operator.aggregateInput ?? 'record' };
    }
    case 'sink': {
      const { sink } = transformation;
      return sink.form === 'native' ? { kind: 'native', role: 'sink', spec: sink.spec } : { kind: 'sink', sink };
    }
  }
}
