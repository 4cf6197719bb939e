import { type Step, givesLetters, isBeside, openStreams, sendsAside, strategyBehind } from './graph.ts';

/** Calls whose state must see all rows, or all rows of a key. */
const STATEFUL: ReadonlySet<string> = new Set(['reduce', 'aggregate', 'dedup', 'limit']);

/** What makes a graph one that `randomGraph` could not have given, and that the engine may refuse; `undefined` when there is nothing. */
export function brokenRule(steps: readonly Step[]): string | undefined {
  if (steps.length === 0) return 'the graph has no step';
  const byId = new Map<number, Step>();
  const strategies = new Map<number, 'hash' | 'roundRobin' | undefined>();
  for (const step of steps) {
    const inputs = step.inputs.map((id) => byId.get(id));
    const from = step.inputs[0] === undefined ? undefined : strategies.get(step.inputs[0]);
    const broken = inputs.includes(undefined) ? 'takes the rows of a step that is not there' : brokenBy(step, inputs as readonly Step[], from, steps);
    if (broken !== undefined) return `step ${step.id}, ${step.call.kind}, ${broken}`;
    byId.set(step.id, step);
    strategies.set(step.id, strategyBehind(step, from));
  }
  const [open] = openStreams(steps);
  return open === undefined ? undefined : `step ${open.id}, ${open.call.kind}, ends in no sink`;
}

function brokenBy(step: Step, inputs: readonly Step[], strategy: 'hash' | 'roundRobin' | undefined, steps: readonly Step[]): string | undefined {
  const { call, parallelism, id } = step;
  const [owner] = inputs;
  const isSource = call.kind === 'source';
  if (isSource ? inputs.length > 0 : call.kind === 'union' ? inputs.length < 2 : inputs.length !== 1) return `has ${inputs.length} inputs`;
  if (!isBeside(step) && inputs.some((input) => input.call.kind === 'split' || input.call.kind === 'sink')) return 'takes the rows of a step that gives none';
  if (isSource && call.form !== 'collection' && parallelism !== undefined) return 'has a parallelism, but rows from one place';
  if (STATEFUL.has(call.kind) && strategy === 'roundRobin') return 'is behind a roundRobin key';
  if (STATEFUL.has(call.kind) && strategy !== 'hash' && parallelism !== undefined) return 'has a parallelism without a hash key';
  if (call.kind === 'process' && call.finishes && strategy !== undefined) return 'gives a last row without a key behind a keyBy';
  if (call.kind === 'side' && !sendsAside(owner!)) return 'is of a step without side outputs';
  if (call.kind === 'letters' && (!givesLetters(owner!) || owner!.call.kind === 'split')) return 'is of a step without dead letters';
  if (call.kind === 'branch' && owner!.call.kind !== 'route' && owner!.call.kind !== 'split') return 'is of a step without branches';
  if (call.kind !== 'route' && call.kind !== 'split') return undefined;
  const names = steps.flatMap((other) => (other.call.kind === 'branch' && other.inputs[0] === id ? [other.call.name] : [])).toSorted();
  const [a, b] = [names.filter((name) => name === 'a').length, names.filter((name) => name === 'b').length];
  return b === 1 && (a === 1 || (a === 2 && call.kind === 'route')) ? undefined : `has the branches ${names.join(' ') || 'none'}`;
}
