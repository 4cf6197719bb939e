import type { StageNode } from '../../compiler/physical-plan.ts';
import { runsInCore } from '../../compiler/native-aggregates.ts';
import type { LayoutCache } from '../codec/batch-reader.ts';
import type { Core } from '../native/core.ts';
import type { KeyedOperator } from './keyed-operator.ts';
import { NativeAggregate } from './native-aggregate.ts';
import { SlotOperator } from './slot-operator.ts';
import type { StageBindings } from './stage-bindings.ts';

/** Makes the operator of a keyed `reduce` or `aggregate` node. */
export function makeKeyedOperator(node: StageNode, bindings: StageBindings, core: Core, job: number, layouts: LayoutCache): KeyedOperator {
  const { op } = node;
  if (op.kind === 'aggregate' && runsInCore(op.spec, op.emit)) {
    return new NativeAggregate(node, op.spec, op.emit as 'final' | 'update', op.input, bindings, core, job, layouts);
  }
  return new SlotOperator(node, bindings, core, job, layouts);
}
