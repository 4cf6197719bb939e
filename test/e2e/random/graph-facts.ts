import type { Step } from './graph.ts';

/** What is known of event time behind a step: rows have none, one that the interpreter knows too, or one that depends on who comes first. */
export type Time = 'none' | 'known' | 'vague';

/** What is known of the rows behind a step, whatever they are. */
export interface Facts {
  readonly keyed: 'hash' | 'roundRobin' | undefined;
  readonly time: Time;
  /** Whether rows come in the order in which their source gave them, one behind the other. */
  readonly inSequence: boolean;
  /** No more rows than that. */
  readonly maxRows: number;
}

/** More pairs than that no join of a random graph may look at. */
export const MAX_PAIRS = 40_000;

const KEEPS_KEY: ReadonlySet<string> = new Set(['map', 'filter', 'flatMap', 'mapAsync', 'process', 'dedup', 'limit', 'sample', 'zipWithIndex', 'route', 'split', 'branch', 'timestamps', 'stamp', 'keyed']);
const KEEPS_SEQUENCE: ReadonlySet<string> = new Set(['map', 'filter', 'flatMap', 'keyBy', 'process', 'sample', 'zipWithIndex', 'timestamps', 'stamp']);
const MOST_BRANCHES = 2;
const MOST_OF_FLAT_MAP = 3;

/** Whether a step keeps the key of the rows it takes. */
export function keepsKey({ call }: Step): boolean {
  return call.kind === 'batch' ? !call.by : KEEPS_KEY.has(call.kind);
}

/** The facts behind a step, from those before it. */
export function factsBehind(step: Step, inputs: readonly Facts[]): Facts {
  const { call, parallelism } = step;
  const [first] = inputs;
  return {
    keyed: call.kind === 'keyBy' ? call.strategy : keepsKey(step) ? first?.keyed : undefined,
    time: timeBehind(step, inputs.map(({ time }) => time)),
    inSequence: parallelism === undefined && (call.kind === 'source' || (KEEPS_SEQUENCE.has(call.kind) && first!.inSequence && !(call.kind === 'process' && call.finishes))),
    maxRows: maxRowsBehind(step, inputs.map(({ maxRows }) => maxRows)),
  };
}

function timeBehind({ call }: Step, times: readonly Time[]): Time {
  const all = times.every((time) => time === 'known') ? 'known' : times.includes('none') ? 'none' : 'vague';
  const vague = all === 'none' ? 'none' : 'vague';
  switch (call.kind) {
    case 'source':
    case 'reduce':
    case 'aggregate':
    case 'letters':
      return 'none';
    case 'timestamps':
      return 'known';
    case 'window':
      return call.window.kind === 'global' || call.window.kind === 'count' ? 'none' : all;
    case 'join':
      if (call.join.by === 'class') return vague;
      return call.join.by === 'window' && call.join.window.kind === 'global' ? 'none' : all;
    case 'keyed':
      return call.form === 'count' ? vague : all;
    case 'process':
      return call.finishes ? vague : all;
    // Of equal rows the first one, of a batch the time of the latest.
    case 'dedup':
    case 'limit':
    case 'batch':
      return vague;
    default:
      return all;
  }
}

function maxRowsBehind({ call }: Step, rows: readonly number[]): number {
  const sum = rows.reduce((a, b) => a + b, 0);
  switch (call.kind) {
    case 'source':
      return call.rows;
    case 'flatMap':
      return sum * MOST_OF_FLAT_MAP;
    case 'process':
      return sum * MOST_OF_FLAT_MAP + 1;
    case 'branch':
      return sum * MOST_BRANCHES;
    case 'aggregate':
      return sum + 1;
    case 'window':
      return call.window.kind === 'sliding' ? sum * Math.ceil(call.window.sizeMs / call.window.slideMs) : call.window.kind === 'count' ? sum * 2 : sum;
    case 'join':
      return pairsOf(rows) * (call.join.by === 'window' && call.join.window.kind === 'sliding' ? Math.ceil(call.join.window.sizeMs / call.join.window.slideMs) : 1) + sum;
    default:
      return sum;
  }
}

/** As many pairs as a join of so many rows may look at. */
export function pairsOf(rows: readonly number[]): number {
  return rows.reduce((a, b) => a * b, 1);
}
