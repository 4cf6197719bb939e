import { Expression } from './expression.ts';
import type { AnyExpression, NeedOf, NullsOf, Operand, ValueOf } from './expression-types.ts';
import { callNode } from './make-call.ts';

/** What `cond` can give: a constant, null too, or an expression. */
type Choice = number | string | boolean | Date | null | AnyExpression;

/**
 * `then` where `when` is true, else `otherwise`, also where `when` is null. Only the one of the two that is chosen is looked at.
 *
 * ```ts
 * env
 *   .fromCollection([{ price: 5 }, { price: 500 }])
 *   .withColumn('size', cond(col('price').gt(100), 'large', 'small'))
 *   .print();
 * ```
 */
export function cond<W extends Operand<boolean>, A extends Choice, B extends Choice>(
  when: W,
  then: A,
  otherwise: B,
): Expression<NeedOf<W, boolean> & NeedOf<A, unknown> & NeedOf<B, unknown>, ValueOf<A> | ValueOf<B>, NullsOf<A> | NullsOf<B>> {
  const operands = [when, then, otherwise].map((operand) => Expression.operand(operand, cond));
  return new Expression(callNode('cond', operands, cond));
}
