import { inspect, isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';

import type { JobResult, OperatorCounts } from '../../../ts/index.ts';
import { type Row, randomGraph } from './graph.ts';
import { type Expected, interpret } from './interpret.ts';

const text = (row: Row): string => JSON.stringify([row.v, row.k, row.tag]);

/** Compares what a job gave for a seed with the interpreter: rows of each sink, counts of each operator. */
export function compareWithOracle(seed: number, sinks: readonly Row[][], result: JobResult, serial: boolean): void {
  const expected = interpret(randomGraph(seed));
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
    const operator = counts.get(`${seed}.${step.id}`);
    if (operator === undefined && step.call.kind === 'union') continue;
    if (operator === undefined) failures.push({ step, missing: true });
    else if (!mayEndEarly) failures.push(...differences(one, operator));
  }
  const replay = `replay with SAGE_PROPERTY_SEED=${seed}; the pipeline is ${inspect(randomGraph(seed), { depth: 4, breakLength: 160 })}`;
  expect(failures, replay).toEqual([]);
}

function differences({ step, recordsIn, recordsOut, skipped, dead }: Expected, operator: OperatorCounts): unknown[] {
  const wanted = { recordsIn, recordsOut: recordsOut ?? operator.recordsOut, recordsSkipped: skipped, deadLetters: dead };
  const real = { recordsIn: operator.recordsIn, recordsOut: operator.recordsOut, recordsSkipped: operator.recordsSkipped, deadLetters: operator.deadLetters };
  return isDeepStrictEqual(wanted, real) ? [] : [{ operator: step, wanted, real }];
}

/** Calls that give one record for each that they take, or count why not. */
const ONE_FOR_ONE: ReadonlySet<string> = new Set(['map', 'filter', 'keyBy', 'mapAsync', 'dedup', 'limit', 'sample', 'zipWithIndex', 'rebalance', 'route', 'branch', 'side', 'letters', 'union']);

/** Whether every record that an operator of a seed took is accounted for, also where it is not known how many those are. */
export function checkNothingLost(seed: number, result: JobResult): void {
  const steps = new Map(randomGraph(seed).map((step) => [`${seed}.${step.id}`, step]));
  const lost = result.operators.filter(({ name, recordsIn, recordsOut, recordsDropped, recordsFiltered, recordsSkipped, deadLetters }) => {
    const step = steps.get(name);
    if (step === undefined || !ONE_FOR_ONE.has(step.call.kind)) return false;
    return recordsIn !== recordsOut + recordsDropped + recordsFiltered + recordsSkipped + deadLetters;
  });
  expect(lost, `replay with SAGE_PROPERTY_SEED=${seed}`).toEqual([]);
}

/** Whether counts of the whole job add up, whatever it computed. */
export function checkCounts(result: JobResult): void {
  expect(result.edges.filter(({ sent, received }) => sent !== received)).toEqual([]);
  expect(result.status).toBe('finished');
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
