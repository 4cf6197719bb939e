import { inspect } from 'node:util';

import type { Step } from './graph.ts';

/** A graph as calls, one a line, without what is not set: `s3 = s1.filter({ isClass: true, salt: 12 }).parallelism(2).onError('skip')`. */
export function printGraph(steps: readonly Step[]): string {
  return steps.map((step) => `  s${step.id} = ${printStep(step)}`).join('\n');
}

function printStep({ call: { kind, ...settings }, inputs, salt, parallelism, policy }: Step): string {
  const [first, ...others] = inputs.map((id) => `s${id}`);
  const set = Object.entries({ ...settings, salt }).filter(([, value]) => value !== false && value !== 'never');
  const args = [...others, inspect(Object.fromEntries(set), { breakLength: Infinity })];
  const placed = parallelism === undefined ? '' : `.parallelism(${parallelism})`;
  return `${first ?? 'env'}.${kind}(${args.join(', ')})${placed}${policy === undefined ? '' : `.onError('${policy}')`}`;
}
