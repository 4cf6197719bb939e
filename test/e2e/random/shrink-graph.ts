import { isDeepStrictEqual } from 'node:util';

import { editGraph, plainStep } from './edit-graph.ts';
import type { GraphName } from './graph-name.ts';
import { brokenRule } from './graph-rules.ts';
import { type Step, randomGraph } from './graph.ts';

/** How long it is worth looking for a smaller graph. */
export interface ShrinkBounds {
  readonly maxCandidates: number;
  /** No candidate starts later than that. */
  readonly maxMs: number;
  /** A clock in milliseconds. */
  readonly now?: () => number;
}

export interface Shrunk {
  readonly name: GraphName;
  /** How many candidates were tried. */
  readonly candidates: number;
  /** Why there are no more of them: no smaller graph fails, or a bound was reached. */
  readonly stopped: 'minimum' | 'candidates' | 'time';
}

/** Fewer rows that a source may do with. */
const ROWS = [0, 1, 2, 5, 10, 20, 50, 100];

/**
 * Looks for a small graph that fails as a given one does: greedily, largest pieces first, until no piece can go.
 * Candidates that break a rule of random graphs are left out, and none is tried twice.
 */
export async function shrinkGraph(from: GraphName, fails: (candidate: GraphName) => Promise<boolean>, bounds: ShrinkBounds): Promise<Shrunk> {
  const search = new Search(from, fails, bounds);
  for (let smaller = true; smaller; ) {
    const before = search.name;
    await search.inPieces(droppable, (name, piece) => ({ ...name, drop: [...name.drop, ...piece].toSorted((a, b) => a - b) }));
    await search.inPieces(notPlain, (name, piece) => ({ ...name, plain: [...name.plain, ...piece].toSorted((a, b) => a - b) }));
    await search.fewerRows();
    smaller = search.name !== before;
  }
  return { name: withoutNeedlessDrops(search.name), candidates: search.candidates, stopped: search.stopped ?? 'minimum' };
}

class Search {
  name: GraphName;
  candidates = 0;
  stopped: 'candidates' | 'time' | undefined;
  readonly #fails: (candidate: GraphName) => Promise<boolean>;
  readonly #bounds: ShrinkBounds;
  readonly #now: () => number;
  readonly #endsAt: number;
  readonly #tried = new Set<string>();

  constructor(from: GraphName, fails: (candidate: GraphName) => Promise<boolean>, bounds: ShrinkBounds) {
    this.name = from;
    this.#fails = fails;
    this.#bounds = bounds;
    this.#now = bounds.now ?? ((): number => performance.now());
    this.#endsAt = this.#now() + bounds.maxMs;
  }

  /** Edits all steps of a list at once, then halves of it, quarters, and so on to single steps; the last ones first, for others hang from the first. */
  async inPieces(list: (name: GraphName) => readonly number[], edit: (name: GraphName, piece: readonly number[]) => GraphName): Promise<void> {
    for (let size = list(this.name).length; size >= 1; size = Math.floor(size / 2)) {
      for (let end = list(this.name).length; end > 0; end = Math.min(end - size, list(this.name).length)) {
        await this.#attempt(edit(this.name, list(this.name).slice(Math.max(0, end - size), end)));
      }
    }
  }

  async fewerRows(): Promise<void> {
    for (const { id } of editGraph(this.name).filter(({ call }) => call.kind === 'source')) {
      for (const count of ROWS) {
        const rows = [...this.name.rows.filter(({ step }) => step !== id), { step: id, count }];
        if (count < rowsOf(editGraph(this.name), id) && (await this.#attempt({ ...this.name, rows: rows.toSorted((a, b) => a.step - b.step) }))) break;
      }
    }
  }

  async #attempt(edits: GraphName): Promise<boolean> {
    if (this.stopped !== undefined) return false;
    const candidate = withoutNeedlessEdits(edits);
    const steps = editGraph(candidate);
    const text = JSON.stringify(steps);
    if (this.#tried.has(text) || !isSmaller(steps, editGraph(this.name)) || brokenRule(steps) !== undefined) return false;
    if (this.candidates >= this.#bounds.maxCandidates) this.stopped = 'candidates';
    else if (this.#now() >= this.#endsAt) this.stopped = 'time';
    if (this.stopped !== undefined) return false;
    this.#tried.add(text);
    this.candidates++;
    if (!(await this.#fails(candidate))) return false;
    this.name = candidate;
    return true;
  }
}

/** Sinks that came with edits have no number in the graph of the seed, and none is needed: they go with their streams. */
function droppable(name: GraphName): number[] {
  const end = randomGraph(name.seed).length;
  return editGraph(name).flatMap(({ id }) => (id < end ? [id] : []));
}

const isPlain = (step: Step): boolean => isDeepStrictEqual(step, plainStep(step));

const notPlain = (name: GraphName): number[] => editGraph(name).filter((step) => !isPlain(step)).map(({ id }) => id);

function rowsOf(steps: readonly Step[], id: number): number {
  return steps.reduce((sum, { call, id: other }) => (call.kind === 'source' && other === id ? sum + call.rows : sum), 0);
}

/** Fewer steps, else fewer that are not plain, else fewer rows: each time one goes down, so that the search ends. */
function isSmaller(one: readonly Step[], two: readonly Step[]): boolean {
  const sizes = (steps: readonly Step[]): number[] => [steps.length, steps.filter((step) => !isPlain(step)).length, steps.reduce((sum, { id }) => sum + rowsOf(steps, id), 0)];
  const other = sizes(two);
  const differences = sizes(one).map((size, n) => size - other[n]!);
  return (differences.find((difference) => difference !== 0) ?? 0) < 0;
}

/** What was plain or had few rows may be gone by now. */
function withoutNeedlessEdits(name: GraphName): GraphName {
  const left = new Set(editGraph({ ...name, plain: [], rows: [] }).map(({ id }) => id));
  return { ...name, plain: name.plain.filter((id) => left.has(id)), rows: name.rows.filter(({ step }) => left.has(step)) };
}

/** What goes with another step need not be named. */
function withoutNeedlessDrops(name: GraphName): GraphName {
  const steps = editGraph(name);
  return name.drop.reduce((shorter, id) => {
    const without = { ...shorter, drop: shorter.drop.filter((other) => other !== id) };
    const left = new Set(editGraph({ ...without, plain: [], rows: [] }).map((step) => step.id));
    return left.has(id) || !isDeepStrictEqual(editGraph(without), steps) ? shorter : without;
  }, name);
}
