import { type StageNode, failingOperator } from '../../compiler/physical-plan.ts';
import { isExpressionNode } from '../../compiler/op-expressions.ts';
import { regionKey } from '../../compiler/logical/region-key.ts';
import { partOwner } from '../checkpoint/part-owner.ts';
import type { TaskContext } from '../../functions/task-context.ts';
import { hasContext } from '../../functions/user-function.ts';
import { isTolerant } from '../../transformations/error-policy.ts';
import { BroadcastStore } from '../state/broadcast-store.ts';
import { FunctionState } from '../state/function-state.ts';
import { MissingParts } from '../state/missing-parts.ts';
import type { StageBindings } from './stage-bindings.ts';

/** Whether records come to the function of a node one by one, so that the key of one is in hand. */
function takesRecords({ op }: StageNode): boolean {
  return op.kind === 'map' || op.kind === 'flatMap' || op.kind === 'filter' || op.kind === 'process' || op.kind === 'route' || op.kind === 'sink';
}

/** Whether the function of a node may keep state for each key. */
export function keepsState(node: StageNode): boolean {
  const { op } = node;
  if (op.kind === 'keyedProcess') return true;
  const fn = 'fn' in op ? op.fn : op.kind === 'sink' && op.sink.form === 'function' ? op.sink.fn : undefined;
  if (fn === undefined || isExpressionNode(fn) || !hasContext(fn) || node.operator.kind === 'broadcastProcess') return false;
  return takesRecords(node) && regionKey(node.operator.transformation)?.strategy === 'hash';
}

/** Gives the context of a function class its state, or the reason why it has none. */
export function bindFunctionState(node: StageNode, context: TaskContext, { clock, states, stage, stateParts }: StageBindings, instance: number): void {
  const keyBy = regionKey(node.operator.transformation);
  const missing = (why: string, help: string): void => {
    context.keyed = new MissingParts(context, why, help);
  };
  if (node.op.kind === 'mapAsync') {
    missing('calls of mapAsync are in flight at the same time, so that there is no one key in hand', 'Use map with an async execute(), which works on one record at a time, or keep state in a KeyedProcessFunction behind.');
  } else if (node.operator.kind === 'broadcastProcess') {
    missing('a BroadcastProcessFunction has no state of keys', 'Let the class extend KeyedBroadcastProcessFunction, behind keyBy: stream.keyBy(...).connect(rules.broadcast()).process(Class).');
  } else if (!takesRecords(node)) {
    missing(`a class for ${node.op.kind} keeps no state for each key`, 'Keep it in a MapFunction or a KeyedProcessFunction behind keyBy.');
  } else if (keyBy === undefined) {
    missing('its records have no key', 'Call keyBy before it: stream.keyBy((record) => record.id).map(Class).');
  } else if (keyBy.strategy !== 'hash') {
    const effect = keyBy.strategy === 'broadcast' ? 'gives every instance every record' : 'spreads the records of a key over instances';
    missing(`the strategy '${keyBy.strategy}' of '${keyBy.name}' ${effect}`, `Leave the strategy of '${keyBy.name}' away, or call keyBy again before it.`);
  } else {
    const state = new FunctionState({ context, clock, isTolerant: isTolerant(failingOperator(node).transformation.errorPolicy), task: states });
    context.keyed = state;
    states.add(node.id, state);
    stateParts.push(state.statePart(partOwner(node, { instance, parallelism: stage.parallelism })));
  }
}

/** Gives the context of a function with a broadcast side what that keeps. */
export function bindBroadcast(node: StageNode, context: TaskContext, { clock, stage, stateParts }: StageBindings, instance: number): void {
  const { op, operator } = node;
  const takes = 'coInput' in op ? op.coInput?.takes : undefined;
  if (takes === undefined) return;
  const store = new BroadcastStore({ operator: context.operator, clock, isTolerant: isTolerant(operator.transformation.errorPolicy) });
  context.broadcast = store;
  stateParts.push(store.statePart(partOwner(node, { instance, parallelism: stage.parallelism })));
}
