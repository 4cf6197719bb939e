import { LookupTransformation } from '../../transformations/lookup-transformation.ts';
import { PairMapTransformation } from '../../transformations/pair-map-transformation.ts';
import { Expression } from '../../functions/expressions/expression.ts';
import { predicateNode } from '../../functions/expressions/predicate-node.ts';
import type { LogicalOperator } from '../logical-plan.ts';
import { BROADCAST_INPUT } from '../../transformations/broadcast-process-transformation.ts';
import type { CoInput, StageOp } from '../physical-plan.ts';

/** How many nodes an operator has: one for each input where each has a handler of its own. */
export function nodesOf({ kind, inputs }: LogicalOperator): number {
  return kind === 'comap' || kind === 'join' || kind === 'keyedProcess' || kind === 'broadcastProcess' ? inputs.length : 1;
}

/** Of a function with a broadcast side. */
function takenBy(input: number): 'records' | 'broadcast' {
  return input === BROADCAST_INPUT ? 'broadcast' : 'records';
}

/**
 * What the node of an operator does.
 *
 * @param input which of its inputs the node stands for
 * @param firstNode the node of its first input
 */
export function stageOp(operator: LogicalOperator, input: number, firstNode: number): StageOp {
  const { kind, transformation } = operator;
  switch (transformation.kind) {
    case 'source': {
      const source = operator.source ?? transformation.source;
      return source.form === 'native' ? { kind: 'native', role: 'source', spec: source.spec } : { kind: 'source', source };
    }
    case 'map':
      return { kind: 'map', fn: transformation.fn, ...(transformation instanceof PairMapTransformation ? { takesPair: true } : {}) };
    case 'flatMap':
    case 'process':
      return { kind: transformation.kind, fn: transformation.fn };
    case 'comap': {
      const { handlers } = transformation;
      const coInput: CoInput = { input, owner: handlers.form === 'methods' ? firstNode : firstNode + input };
      return { kind: 'map', fn: handlers.form === 'methods' ? handlers.fn : handlers.fns[input]!, coInput };
    }
    case 'join':
      return { kind: 'process', fn: transformation.fn, coInput: { input, owner: firstNode } };
    case 'intervalJoin':
      return { kind: 'intervalJoin', settings: transformation.settings };
    case 'asOfJoin':
      return { kind: 'asOfJoin', settings: transformation.settings, time: operator.takesTime && transformation.settings.table?.time !== 'processing' ? 'event' : 'processing' };
    case 'filter': {
      const { fn } = transformation;
      return { kind: 'filter', fn: Expression.is(fn) ? predicateNode(fn) : fn };
    }
    case 'select':
      return { kind: 'select', columns: transformation.columns, keepsOthers: transformation.keepsOthers };
    case 'keyBy':
      return { kind: 'keyBy', selector: transformation.selector };
    case 'assignTimestamps':
      return { kind: 'assignTimestamps', selector: transformation.selector, settings: transformation.settings };
    case 'union':
    case 'rebalance':
    case 'zipWithIndex':
    case 'fromFuture':
    case 'fillFuture':
      return { kind: transformation.kind };
    case 'mapAsync':
      return { kind: 'mapAsync', fn: transformation.fn, settings: transformation.settings, ...(transformation instanceof LookupTransformation ? { lookup: transformation.lookup } : {}) };
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
    case 'window': {
      const { keyed, settings, result } = transformation;
      if (kind === 'extract') return { kind: 'extract', spec: result.kind === 'aggregate' ? result.spec : {} };
      return { kind: 'window', keyed, settings, result, time: operator.takesTime ? 'event' : 'processing', input: operator.aggregateInput ?? 'record' };
    }
    case 'keyedProcess':
      return {
        kind: 'keyedProcess',
        fn: transformation.fn,
        time: operator.takesTime ? 'event' : 'processing',
        ...(transformation.form === 'one' ? {} : { coInput: { input, owner: firstNode, ...(transformation.form === 'broadcast' ? { takes: takenBy(input) } : {}) } }),
      };
    case 'broadcastProcess':
      return { kind: 'process', fn: transformation.fn, coInput: { input, owner: firstNode, takes: takenBy(input) } };
    case 'sink': {
      const { sink } = transformation;
      return sink.form === 'native' ? { kind: 'native', role: 'sink', spec: sink.spec } : { kind: 'sink', sink };
    }
  }
}
