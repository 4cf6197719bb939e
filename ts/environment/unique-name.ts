import type { BaseTransformation } from '../transformations/base-transformation.ts';

/** `name`, or `name-2`, `name-3` and so on when operators have it: the first that is free. */
export function uniqueName(name: string, operators: readonly BaseTransformation[]): string {
  const taken = new Set(operators.map((operator) => operator.name));
  if (!taken.has(name)) return name;
  let suffix = 2;
  while (taken.has(`${name}-${suffix}`)) suffix += 1;
  return `${name}-${suffix}`;
}
