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
    case 'filter':
      return { kind: transformation.kind, fn: transformation.fn };
    case 'keyBy':
      return { kind: 'keyBy', selector: transformation.selector };
    case 'union':
      return { kind: 'union' };
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
