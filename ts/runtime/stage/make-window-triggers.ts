import { type StageNode, failingOperator } from '../../compiler/physical-plan.ts';
import type { Core } from '../native/core.ts';
import type { StageBindings } from './stage-bindings.ts';
import { NO_RECORD } from './stage-control.ts';
import type { AnyTrigger } from './trigger-calls.ts';
import { type TriggerHost, WindowTriggers } from './window-triggers.ts';
import type { WindowValues } from './window-values.ts';

/** What a program of windows adds: only it knows keys, and gives results. */
export type TriggersOfProgram = (values: WindowValues, program: Pick<TriggerHost, 'emit' | 'keyOf'>) => WindowTriggers;

/** Has a trigger of the user decide for the windows of a node. */
export function makeWindowTriggers(trigger: AnyTrigger, node: StageNode, bindings: StageBindings, core: Core, job: number): TriggersOfProgram {
  const { op, id } = node;
  if (op.kind !== 'window') throw new TypeError(`operator '${op.kind}' has no windows`);
  const { accumulation, allowedLatenessMs } = op.settings;
  return (values, { emit, keyOf }) =>
    new WindowTriggers(core, job, values, {
      trigger,
      operator: failingOperator(node).name,
      declaredAt: node.operator.transformation.declaredAt,
      hasEventTime: op.time === 'event',
      discards: accumulation === 'discarding',
      allowedLatenessMs,
      emit,
      keyOf,
      count: (name, by) => bindings.contexts[id]!.metrics.counter(name).inc(by),
      failed: (error) => bindings.control.threw(error, id, NO_RECORD),
    });
}
