import { compute, finishedRow, limitedRow, rowOfLetter, rowOfResult, textOfKey } from './functions.ts';
import { RETRIES, type Row, type Step, givesLetters } from './graph.ts';
import { keepsKey } from './graph-facts.ts';
import { interpretJoin } from './interpret-joins.ts';
import { keyedItems } from './interpret-keyed.ts';
import { windowItems } from './interpret-windows.ts';
import { type Item, groupsOf } from './item.ts';

/** What a step must have given and taken. */
export interface Expected {
  readonly step: Step;
  readonly recordsIn: number;
  /** `undefined` where it depends on who comes when. */
  readonly recordsOut: number | undefined;
  readonly skipped: number;
  readonly dead: number;
  readonly rows: readonly Row[];
  /** Whether the order of `rows` is that of the job too, when everything has one instance. */
  readonly ordered: boolean;
}

/** What came out of a step. */
interface Output {
  readonly items: readonly Item[];
  readonly isKeyed: boolean;
  readonly ordered: boolean;
  /** What it could not work on, and what it could. */
  readonly failed: readonly Item[];
  readonly good: readonly Item[];
}

/** Whether a step fails at a row for good. */
function failsAt({ call, salt, policy }: Step, { row }: Item): boolean {
  if (call.kind === 'batch' && !call.by && !call.weight) return false;
  return call.kind !== 'reduce' && compute.fails(salt, policy, row);
}

/** The naive way to run a random pipeline: one step after the other, each over a whole array. */
export function interpret(steps: readonly Step[]): Expected[] {
  const outputs: Output[] = [];
  return steps.map((step): Expected => {
    const inputs = step.inputs.map((id) => outputs[id]!);
    const taken = inputs.flatMap(({ items }) => items);
    const failed = taken.filter((item) => failsAt(step, item));
    const good = taken.filter((item) => !failsAt(step, item));
    const isKeyed = inputs[0]?.isKeyed ?? false;
    const inOrder = inputs.length <= 1 && inputs.every(({ ordered }) => ordered);
    const owner = steps.find(({ id }) => id === step.inputs[0]);
    const { items, ordered = inOrder, recordsIn = taken.length, recordsOut } = work(step, good, isKeyed, inputs, owner);
    outputs[step.id] = { items, isKeyed: step.call.kind === 'keyBy' || (isKeyed && keepsKey(step)), ordered, failed, good };
    const isDead = givesLetters(step);
    return {
      step,
      recordsIn,
      recordsOut: recordsOut === 'any' ? undefined : (recordsOut ?? items.length),
      skipped: isDead ? 0 : failed.length,
      dead: isDead ? failed.length : 0,
      rows: items.map(({ row }) => row),
      ordered,
    };
  });
}

interface Worked {
  readonly items: readonly Item[];
  readonly ordered?: boolean;
  readonly recordsIn?: number;
  readonly recordsOut?: number | 'any';
}

function work(step: Step, good: readonly Item[], isKeyed: boolean, inputs: readonly Output[], owner: Step | undefined): Worked {
  const { call, salt } = step;
  const from = inputs[0]!;
  const each = (fn: (row: Row) => Row | undefined | readonly Row[]): Item[] => good.flatMap((item) => [fn(item.row) ?? []].flat().map((row) => ({ ...item, row })));
  switch (call.kind) {
    case 'source': {
      const items = Array.from({ length: call.rows }, (_, n) => ({ row: compute.source(salt, n) }));
      return { items, ordered: true, recordsIn: items.length };
    }
    case 'map':
      return { items: each((row) => compute.map(salt, row)) };
    case 'mapAsync':
      return { items: each((row) => compute.map(salt, row)), ...(call.ordered ? {} : { ordered: false }) };
    case 'filter':
      return { items: each((row) => (compute.filter(salt, row) ? row : undefined)) };
    case 'flatMap':
      return { items: each((row) => compute.flatMap(salt, row)) };
    case 'process': {
      const items = each((row) => compute.flatMap(salt, row));
      return { items: call.finishes ? [...items, { row: finishedRow(salt) }] : items };
    }
    case 'keyBy':
      return {
        items: good.map((item) => {
          const { row } = item;
          const key = compute.key(salt, row);
          return { ...item, row: { ...row, k: textOfKey(key) }, key };
        }),
      };
    case 'union':
      return { items: unkeyed(good), ordered: false };
    case 'rebalance':
      return { items: unkeyed(good) };
    case 'zipWithIndex':
      return { items: good };
    case 'batch':
      return { items: call.by ? unkeyed(good) : good, recordsOut: 'any', ...(isKeyed || call.by ? { ordered: false } : {}) };
    case 'dedup':
      return { items: groupsOf(good, isKeyed).flatMap((group) => [...new Map(group.map((item) => [compute.sameness(item.row), { ...item, row: { ...item.row, t: 0 } }])).values()]), ordered: false };
    case 'limit':
      return { items: groupsOf(good, isKeyed).flatMap((group) => group.slice(0, call.max).map((item) => ({ ...item, row: limitedRow(salt, item.row, isKeyed) }))), ordered: false };
    case 'sample':
      return { items: call.takes ? good : [] };
    case 'route':
      return { items: good };
    case 'split': {
      const nowhere = good.filter(({ row }) => compute.routes(salt, row).length === 0).length;
      return { items: [], recordsOut: good.length - nowhere };
    }
    case 'branch': {
      const { salt: routed } = owner!;
      const items = from.good.filter(({ row }) => [compute.routes(routed, row)].flat().includes(call.name));
      return { items, ordered: false, recordsIn: items.length };
    }
    case 'side': {
      const { salt: sender } = owner!;
      const items = unkeyed(from.good).flatMap((item) => {
        const side = compute.side(sender, item.row);
        return side === undefined ? [] : [{ ...item, row: side }];
      });
      return { items, ordered: false, recordsIn: items.length };
    }
    case 'letters': {
      const sender = owner!;
      const attempts = sender.policy === 'retryDeadLetter' || (sender.call.kind === 'mapAsync' && sender.call.repeats) ? RETRIES + 1 : 1;
      // What fails to get a key has none.
      const keyOf = ({ row, key }: Item): unknown => (sender.call.kind === 'keyBy' ? undefined : sender.call.kind === 'comap' && sender.call.own ? compute.key(sender.salt, row) : key);
      return { items: from.failed.map((item) => ({ row: rowOfLetter(item.row, keyOf(item), attempts, `fails at ${item.row.v}`) })), ordered: false, recordsIn: from.failed.length };
    }
    case 'reduce':
      return { items: groupsOf(good, isKeyed).filter((group) => group.length > 0).map((group) => ({ row: group.map(({ row }) => row).reduce(compute.reduce) })), ordered: false };
    case 'aggregate':
      return { items: groupsOf(good, isKeyed).flatMap((group) => results(call.form, group)).map((result) => ({ row: rowOfResult(result) })), ordered: false };
    case 'timestamps':
      return { items: good.map((item) => ({ ...item, at: call.tight ? item.row.t : compute.time(salt, item.row) })) };
    case 'stamp':
      return { items: good.map((item) => ({ ...item, row: { ...item.row, t: item.at! } })) };
    case 'window': {
      const items = windowItems(good, isKeyed, call.window, call.form);
      // What is named is the function that makes a row of each window.
      return { items, ordered: false, ...(call.form === 'map' || call.form === 'process' ? { recordsIn: items.length } : {}) };
    }
    case 'join': {
      const sides = inputs.map(({ items }) => (call.own ? items.map((item) => ({ ...item, key: compute.key(salt, item.row) })) : items)) as [Item[], Item[]];
      const { items, pairs } = interpretJoin(call.join, salt, ...sides);
      return { items, ordered: false, ...(call.join.by === 'class' ? {} : { recordsIn: pairs }) };
    }
    case 'comap': {
      const results = inputs.flatMap(({ items }, n) => items.filter((item) => !failsAt(step, item)).flatMap((item) => {
        const row = compute.map(salt + n, item.row);
        return row === undefined ? [] : [{ ...item, row }];
      }));
      return { items: unkeyed(results), ordered: false };
    }
    case 'keyed':
      return { items: keyedItems(good, call.form), ordered: false };
    case 'sink':
      return { items: good, recordsOut: 0 };
  }
}

function unkeyed(items: readonly Item[]): Item[] {
  return items.map(({ key: _, ...rest }) => rest);
}

function results(form: 'numbers' | 'all' | 'update', group: readonly Item[]): Record<string, unknown>[] {
  const key = group[0]?.key;
  const values = group.map(({ row }) => row.v);
  const total = values.reduce((a, b) => a + b, 0);
  const n = group.length;
  const whole = n === 0;
  switch (form) {
    case 'numbers':
      return [{ key, n, total, lo: whole ? null : Math.min(...values), hi: whole ? null : Math.max(...values), mean: whole ? null : total / n }];
    case 'all':
      return [{ key, n, total, squares: values.reduce((a, b) => a + b ** 2, 0), different: new Set(values).size }];
    case 'update':
      return values.map((_, index) => ({ key, n: index + 1, zero: 0 }));
  }
}
