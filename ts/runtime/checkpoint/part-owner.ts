import type { SourceLocation } from '../../common/source-location.ts';
import { operatorId } from '../../compiler/execution/operator-id.ts';
import { type StageNode, failingOperator } from '../../compiler/physical-plan.ts';

/** One instance of an operator, as its parts know it. */
export interface PartOwner {
  /** `operatorId` */
  readonly operator: string;
  /** What messages call it. */
  readonly name: string;
  /** Where the user declared it. */
  readonly declaredAt?: SourceLocation;
  readonly instance: number;
  readonly parallelism: number;
}

/** The instance of a node's operator. */
export function partOwner(node: StageNode, { instance, parallelism }: { readonly instance: number; readonly parallelism: number }): PartOwner {
  const { name, transformation } = failingOperator(node);
  return { operator: operatorId(node.operator), name, declaredAt: transformation.declaredAt, instance, parallelism };
}
