import type { StageNode } from '../../compiler/physical-plan.ts';

/** The methods of a function with state that take a record, by number of the input. */
export function processHandlers({ op, operator }: StageNode, fn: unknown): readonly ((record: unknown) => unknown)[] {
  const methods = fn as Readonly<Record<string, (record: unknown) => unknown>>;
  const coInput = op.kind === 'keyedProcess' ? op.coInput : undefined;
  if (coInput === undefined) return [(record) => methods['execute']!(record)];
  if (coInput.takes !== undefined) return [(record) => methods['execute']!(record), (record) => methods['executeBroadcast']!(record)];
  return operator.inputs.map((_, input) => (record) => methods[`execute${input}`]!(record));
}
