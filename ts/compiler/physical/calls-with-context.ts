import { Expression } from '../../functions/expressions/expression.ts';
import { hasContext } from '../../functions/user-function.ts';
import type { Transformation } from '../../transformations/transformation.ts';

/** Whether an operator calls a function of the user once for each record that can ask for `ctx`, and so for the key and the event time of its record. */
export function callsWithContext(transformation: Transformation): boolean {
  switch (transformation.kind) {
    case 'map':
    case 'flatMap':
    case 'process':
    case 'broadcastProcess':
      return hasContext(transformation.fn);
    case 'filter':
      return !Expression.is(transformation.fn) && hasContext(transformation.fn);
    case 'comap':
      return transformation.handlers.form === 'methods';
    case 'route':
      return hasContext(transformation.router);
    case 'sink':
      return transformation.sink.form === 'function' && hasContext(transformation.sink.fn);
    default:
      return false;
  }
}
