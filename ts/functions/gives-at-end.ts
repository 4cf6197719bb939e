import { BaseJoinFunction } from './base-join-function.ts';
import { BroadcastProcessFunction } from './broadcast-process-function.ts';
import { ProcessFunction } from './process-function.ts';

/** Classes whose `finish` does nothing until somebody overrides it. */
const BASES: readonly { readonly prototype: { finish(): unknown } }[] = [ProcessFunction, BaseJoinFunction, BroadcastProcessFunction];

/** Whether a function object, or the prototype of a class, may give records in `finish`, when its input has ended. */
export function givesAtEnd(object: unknown): boolean {
  const { finish } = object as { readonly finish?: unknown };
  return typeof finish === 'function' && BASES.every(({ prototype }) => finish !== prototype.finish);
}
