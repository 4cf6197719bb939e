import { SageError, operatorError } from '../../common/errors.ts';
import type { StageNode } from '../../compiler/physical-plan.ts';
import { BaseFunction } from '../../functions/base-function.ts';
import { CollectingFunction } from '../../functions/collecting-function.ts';
import type { StageBindings } from './stage-bindings.ts';

/** Where `this.output(tag, x)` of a function goes: to who takes the tag, if anybody does. */
export function connectOutputs(node: StageNode, object: BaseFunction, bindings: StageBindings): void {
  const { kind } = node.op;
  if (kind === 'mapAsync' || kind === 'keyBy' || kind === 'source') {
    BaseFunction.connectOutputs(object, () => {
      throw new SageError('SAGE_ENV_CONTEXT', `a class for ${kind} has no side outputs, and called output()`, {
        help: 'Give what belongs to the side as a part of the result, and take it out in a process function behind.',
      });
    });
    return;
  }
  const taken = new Set(node.sides.filter(({ channel }) => channel === 'output').map(({ tag }) => tag));
  const waiting: { readonly tag: string; readonly record: unknown }[] = [];
  if (taken.size > 0) bindings.outputs[node.id] = waiting;
  const unread = new Set<string>();
  BaseFunction.connectOutputs(object, (tag, record) => {
    if (taken.has(tag)) {
      waiting.push({ tag, record });
      return;
    }
    bindings.contexts[node.id]?.metrics.counter(`unread output ${tag}`).inc();
    if (unread.has(tag)) return;
    unread.add(tag);
    bindings.logger(node.id).warn(`nobody takes the side output '${tag}': its records are counted and left out; call sideOutput('${tag}') behind the operator`);
  });
}

/** What a function gives from now on would go nowhere: its calls throw, where it makes them. */
export function disconnect(object: unknown): void {
  if (object instanceof CollectingFunction) CollectingFunction.connect(object, undefined);
  if (object instanceof BaseFunction) BaseFunction.connectOutputs(object, undefined);
}

/** Records that were given when no `execute` was there to pass them on: they must not vanish without a word. */
export function givenTooLate({ stage, collected, outputs }: StageBindings): SageError | undefined {
  const node = stage.nodes.find(({ id }) => (collected[id]?.length ?? 0) + (outputs[id]?.length ?? 0) > 0);
  if (node === undefined) return undefined;
  const call = (collected[node.id]?.length ?? 0) > 0 ? 'collect()' : 'output()';
  const { name, transformation } = node.operator;
  return operatorError('SAGE_ENV_CONTEXT', `'${name}' called ${call} outside execute()`, {
    operator: name,
    declaredAt: transformation.declaredAt,
    help: `Call ${call} in execute() only: each output belongs to the record in hand.`,
  });
}
