import { Expression } from './expression.ts';
import type { Widened } from './expression-types.ts';
import { literalNode } from './make-call.ts';

/**
 * A constant where an expression is needed: `select({ source: lit('web') })`. Operations take constants as they are.
 *
 * ```ts
 * env.fromCollection([{ id: 1 }]).select({ id: col('id'), source: lit('web') }).print();
 * ```
 */
export function lit<V extends number | string | boolean | Date | null>(value: V): Expression<unknown, Widened<V>, never> {
  return new Expression(literalNode(value, lit));
}
