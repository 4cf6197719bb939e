import { type Facts, MAX_PAIRS, factsBehind, pairsOf } from './graph-facts.ts';
import { type Step, givesLetters, isBeside, openStreams, sendsAside } from './graph.ts';
import type { WindowKind } from './timed-calls.ts';

/** Calls whose state must see all rows, or all rows of a key. */
const STATEFUL: ReadonlySet<string> = new Set(['reduce', 'aggregate', 'dedup', 'limit', 'window']);

/** How many streams calls take that take several. */
const INPUTS: Readonly<Record<string, readonly [least: number, most: number]>> = { source: [0, 0], union: [2, Infinity], comap: [2, 3], join: [2, 2] };
const ONE_INPUT = [1, 1] as const;

/** How many streams a call needs. */
export function fewestInputs(kind: string): number {
  return (INPUTS[kind] ?? ONE_INPUT)[0];
}

/** What makes a graph one that `randomGraph` could not have given, and that the engine may refuse; `undefined` when there is nothing. */
export function brokenRule(steps: readonly Step[]): string | undefined {
  if (steps.length === 0) return 'the graph has no step';
  const byId = new Map<number, Step>();
  const facts = new Map<number, Facts>();
  for (const step of steps) {
    const inputs = step.inputs.map((id) => byId.get(id));
    const from = step.inputs.flatMap((id) => facts.get(id) ?? []);
    const broken = inputs.includes(undefined) ? 'takes the rows of a step that is not there' : (brokenBy(step, inputs as readonly Step[], from, steps) ?? brokenInTime(step, from));
    if (broken !== undefined) return `step ${step.id}, ${step.call.kind}, ${broken}`;
    byId.set(step.id, step);
    facts.set(step.id, factsBehind(step, from));
  }
  const [open] = openStreams(steps);
  return open === undefined ? undefined : `step ${open.id}, ${open.call.kind}, ends in no sink`;
}

function brokenBy(step: Step, inputs: readonly Step[], from: readonly Facts[], steps: readonly Step[]): string | undefined {
  const { call, parallelism, id } = step;
  const [owner] = inputs;
  const strategy = from[0]?.keyed;
  const isSource = call.kind === 'source';
  const [least, most] = INPUTS[call.kind] ?? ONE_INPUT;
  if (inputs.length < least || inputs.length > most) return `has ${inputs.length} inputs`;
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

const NEEDS_NO_TIME: ReadonlySet<WindowKind['kind']> = new Set(['global', 'count']);

/** What a step asks of the event time and the keys of its rows that they do not have. */
function brokenInTime({ call, parallelism }: Step, from: readonly Facts[]): string | undefined {
  const isTimed = from.every(({ time }) => time === 'known');
  switch (call.kind) {
    case 'timestamps':
      return call.tight && (!from[0]!.inSequence || parallelism !== undefined) ? 'allows for too little disorder' : undefined;
    case 'stamp':
      return isTimed ? undefined : 'needs event time';
    case 'window':
      return isTimed || NEEDS_NO_TIME.has(call.window.kind) ? undefined : 'needs event time';
    case 'keyed':
      if (from[0]!.keyed !== 'hash') return 'has no hash key';
      return isTimed || call.form === 'count' ? undefined : 'needs event time';
    case 'join': {
      const { join } = call;
      if (!call.own && from.some(({ keyed }) => keyed !== 'hash')) return 'has no hash key';
      if (pairsOf(from.map(({ maxRows }) => maxRows)) > MAX_PAIRS) return 'is of too many rows';
      return isTimed || join.by === 'class' || (join.by === 'window' && NEEDS_NO_TIME.has(join.window.kind)) ? undefined : 'needs event time';
    }
    default:
      return undefined;
  }
}
