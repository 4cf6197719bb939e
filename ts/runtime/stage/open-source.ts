import type { StageNode } from '../../compiler/physical-plan.ts';
import type { UserFunction } from '../../functions/user-function.ts';
import { isTolerant } from '../../transformations/error-policy.ts';
import { type OpenedSource, openCollection, openFunction, openIterator } from './opened-source.ts';
import { retryingPull } from './retrying-pull.ts';
import type { StageBindings } from './stage-bindings.ts';
import type { TaskSpec } from './stage-factory.ts';

/** Opens the source of a node in one of its instances; `bind` makes its function, where it has one. */
export function openSource(
  node: StageNode,
  spec: TaskSpec,
  instances: number,
  bind: (node: StageNode, fn: UserFunction) => unknown,
  bindings: StageBindings,
): OpenedSource {
  if (node.op.kind !== 'source') throw new TypeError(`operator '${node.op.kind}' is no source`);
  const { source } = node.op;
  switch (source.form) {
    case 'collection':
      return openCollection(node.id, source.items, spec.instance, instances);
    case 'iterable':
      return openIterator(node.id, source.open());
    case 'function':
    case 'batch': {
      const fn = bind(node, source.fn) as (() => unknown) | { execute(): unknown };
      const pull = typeof fn === 'function' ? fn : () => fn.execute();
      const patient = isTolerant(node.operator.transformation.errorPolicy) ? retryingPull(pull, node, bindings) : pull;
      return openFunction(node.id, patient, source.form === 'batch' ? 'batch' : 'source');
    }
    case 'native':
      throw new TypeError('a native source is a stage of its own');
  }
}
