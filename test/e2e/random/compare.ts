import { inspect } from 'node:util';
import { expect } from 'vitest';

import type { JobResult } from '../../../ts/index.ts';
import { type Row, randomGraph } from './graph.ts';
import { interpret } from './interpret.ts';

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
  for (const { step, recordsIn, recordsOut } of expected) {
    const operator = counts.get(`${seed}.${step.id}`);
    // A union that only feeds another union is part of that one.
    if (operator === undefined && step.call.kind === 'union') continue;
    const real = operator && { recordsIn: operator.recordsIn, recordsOut: operator.recordsOut };
    if (real?.recordsIn !== recordsIn || real.recordsOut !== recordsOut) failures.push({ operator: step, expected: { recordsIn, recordsOut }, real });
  }
  const replay = `replay with SAGE_PROPERTY_SEED=${seed}; the pipeline is ${inspect(randomGraph(seed), { depth: 4, breakLength: 160 })}`;
  expect(failures, replay).toEqual([]);
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
