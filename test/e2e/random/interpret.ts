import { compute, rowOfResult, textOfKey } from './functions.ts';
import type { Row, Step } from './graph.ts';

/** What a step must have given and taken. */
export interface Expected {
  readonly step: Step;
  readonly recordsIn: number;
  readonly recordsOut: number;
  readonly rows: readonly Row[];
  /** Whether the order of `rows` is that of the job too, when everything has one instance. */
  readonly ordered: boolean;
}

/** Keyed rows of a stream: rows with the text of their key. */
type Keyed = readonly { readonly row: Row; readonly key: string; readonly value: unknown }[];

/** The naive way to run a random pipeline: one step after the other, each over a whole array. */
export function interpret(steps: readonly Step[]): Expected[] {
  const outputs: Expected[] = [];
  const keys = new Map<number, Keyed>();
  for (const step of steps) {
    const { call, salt } = step;
    const inputs = step.inputs.map((id) => outputs[id]!);
    const input = inputs.flatMap(({ rows }) => rows);
    const keyed = keys.get(step.inputs[0] ?? -1);
    const ordered = inputs.every((one) => one.ordered) && inputs.length <= 1;
    const gives = (rows: readonly Row[], isOrdered = ordered): void => {
      outputs.push({ step, recordsIn: call.kind === 'source' ? rows.length : input.length, recordsOut: call.kind === 'sink' ? 0 : rows.length, rows, ordered: isOrdered });
    };
    switch (call.kind) {
      case 'source':
        gives(Array.from({ length: call.rows }, (_, n) => compute.source(salt, n)), true);
        break;
      case 'map':
        pass(step, (row) => compute.map(salt, row) ?? []);
        break;
      case 'filter':
        pass(step, (row) => (compute.filter(salt, row) ? row : []));
        break;
      case 'flatMap':
        pass(step, (row) => compute.flatMap(salt, row));
        break;
      case 'keyBy': {
        const all = input.map((row) => {
          const value = compute.key(salt, row);
          return { row: { ...row, k: textOfKey(value) }, key: textOfKey(value), value };
        });
        keys.set(step.id, all);
        gives(all.map(({ row }) => row));
        break;
      }
      case 'union':
        gives(input, false);
        break;
      case 'reduce': {
        const groups = keyed === undefined ? [input] : [...Map.groupBy(keyed, ({ key }) => key).values()].map((group) => group.map(({ row }) => row));
        gives(groups.filter((group) => group.length > 0).map((group) => group.reduce(compute.reduce)), false);
        break;
      }
      case 'aggregate': {
        const groups: { key?: unknown; rows: Row[] }[] =
          keyed === undefined ? [{ rows: [...input] }] : [...Map.groupBy(keyed, ({ key }) => key).values()].map((group) => ({ key: group[0]!.value, rows: group.map(({ row }) => row) }));
        gives(groups.flatMap((group) => results(call.form, group).map(rowOfResult)), false);
        break;
      }
      case 'sink':
        gives(input);
        break;
    }

    function pass(from: Step, fn: (row: Row) => Row | Row[]): void {
      if (keyed !== undefined) {
        keys.set(from.id, keyed.flatMap((one) => [fn(one.row)].flat().map((row) => ({ ...one, row }))));
      }
      gives(input.flatMap(fn));
    }
  }
  return outputs;
}

function results(form: 'numbers' | 'all' | 'update', { key, rows }: { key?: unknown; rows: Row[] }): Record<string, unknown>[] {
  const values = rows.map(({ v }) => v);
  const total = values.reduce((a, b) => a + b, 0);
  const n = rows.length;
  const whole = n === 0;
  switch (form) {
    case 'numbers':
      return [{ key, n, total, lo: whole ? null : Math.min(...values), hi: whole ? null : Math.max(...values), mean: whole ? null : total / n }];
    case 'all':
      return [{ key, n, total, different: new Set(values).size, squares: values.reduce((a, b) => a + b ** 2, 0) }];
    case 'update':
      return rows.map((_, index) => ({ key, n: index + 1 }));
  }
}
