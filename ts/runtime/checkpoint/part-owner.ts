import { operatorId } from '../../compiler/execution/operator-id.ts';
import { type StageNode, failingOperator } from '../../compiler/physical-plan.ts';

/** One instance of an operator, as its parts know it. */
export interface PartOwner {
  /** `operatorId` */
  readonly operator: string;
  /** What messages call it. */
  readonly name: string;
  readonly instance: number;
  readonly parallelism: number;
}

/** The instance of a node's operator. */
export function partOwner(node: StageNode, { instance, parallelism }: { readonly instance: number; readonly parallelism: number }): PartOwner {
  return { operator: operatorId(node.operator), name: failingOperator(node).name, instance, parallelism };
}
