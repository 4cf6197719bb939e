import { inspect, isDeepStrictEqual } from 'node:util';

import type { JobResult, OperatorCounts } from '../../../ts/index.ts';
import { graphOf } from './edit-graph.ts';
import { operatorPrefix } from './graph-name.ts';
import type { Row, Step } from './graph.ts';
import type { Expected } from './interpret.ts';

/** Says what each step of a graph must have given. */
export type Oracle = (steps: readonly Step[]) => readonly Expected[];

const text = (row: Row): string => JSON.stringify([row.v, row.k, row.t, row.tag]);

/** Where a job gave something else for a graph than an oracle: rows of each sink, counts of each operator. */
export function differencesFromOracle(graph: string, sinks: readonly Row[][], result: JobResult, serial: boolean, oracle: Oracle): unknown[] {
  const expected = oracle(graphOf(graph));
  const failures: unknown[] = [];
  const counts = new Map(result.operators.map((operator) => [operator.name, operator]));
  const outputs = expected.filter(({ step }) => step.call.kind === 'sink');
  outputs.forEach(({ step, rows, ordered }, n) => {
    const [got, wanted] = [sinks[n]!.map(text), rows.map(text)];
    const same = serial && ordered ? inspect(got, { maxArrayLength: null }) === inspect(wanted, { maxArrayLength: null }) : sameMultiset(got, wanted);
    if (!same) failures.push({ sink: step.id, ordered: serial && ordered, ...difference(got, wanted) });
  });
  // A limit that is reached may end its sources: how much they gave until then is no matter of the graph.
  const mayEndEarly = expected.some(({ step }) => step.call.kind === 'limit');
  for (const one of expected) {
    const { step } = one;
    // A split has no stream of its own that could be named, and a union that only feeds another union is part of that one.
    if (step.call.kind === 'split') continue;
    const operator = counts.get(`${operatorPrefix(graph)}${step.id}`);
    if (operator === undefined && step.call.kind === 'union') continue;
    if (operator === undefined) failures.push({ step, missing: true });
    else if (!mayEndEarly) failures.push(...differences(one, operator));
  }
  return failures;
}

function differences({ step, recordsIn, recordsOut, skipped, dead }: Expected, operator: OperatorCounts): unknown[] {
  const wanted = { recordsIn, recordsOut: recordsOut ?? operator.recordsOut, recordsSkipped: skipped, deadLetters: dead };
  const real = { recordsIn: operator.recordsIn, recordsOut: operator.recordsOut, recordsSkipped: operator.recordsSkipped, deadLetters: operator.deadLetters };
  return isDeepStrictEqual(wanted, real) ? [] : [{ operator: step, wanted, real }];
}

/** Calls that give one record for each that they take, or count why not. */
const ONE_FOR_ONE: ReadonlySet<string> = new Set(['map', 'filter', 'keyBy', 'mapAsync', 'dedup', 'limit', 'sample', 'zipWithIndex', 'rebalance', 'route', 'branch', 'side', 'letters', 'union', 'timestamps', 'stamp', 'comap']);

/** Operators of a graph that took a record which is not accounted for, also where it is not known how many those are. */
export function operatorsThatLose(graph: string, result: JobResult): OperatorCounts[] {
  const steps = new Map(graphOf(graph).map((step) => [`${operatorPrefix(graph)}${step.id}`, step]));
  return result.operators.filter(({ name, recordsIn, recordsOut, recordsDropped, recordsFiltered, recordsSkipped, deadLetters }) => {
    const step = steps.get(name);
    if (step === undefined || !ONE_FOR_ONE.has(step.call.kind)) return false;
    return recordsIn !== recordsOut + recordsDropped + recordsFiltered + recordsSkipped + deadLetters;
  });
}

/** What does not add up in the counts of the whole job, whatever it computed. */
export function unevenCounts(result: JobResult): unknown[] {
  const uneven: unknown[] = result.edges.filter(({ sent, received }) => sent !== received);
  // Random graphs allow for all the disorder that they have.
  uneven.push(...result.operators.filter(({ recordsLate = 0 }) => recordsLate > 0).map(({ name, recordsLate }) => ({ name, recordsLate })));
  return uneven;
}

function sameMultiset(one: readonly string[], two: readonly string[]): boolean {
  return one.toSorted().join('\n') === two.toSorted().join('\n');
}

function difference(got: readonly string[], wanted: readonly string[]): { missing: string[]; extra: string[]; rows: string } {
  const without = (from: readonly string[], other: readonly string[]): string[] => {
    const left = new Map<string, number>();
    for (const row of other) left.set(row, (left.get(row) ?? 0) + 1);
    return from.filter((row) => {
      const n = left.get(row) ?? 0;
      left.set(row, n - 1);
      return n <= 0;
    });
  };
  return { missing: without(wanted, got).slice(0, 5), extra: without(got, wanted).slice(0, 5), rows: `${got.length} of ${wanted.length}` };
}
