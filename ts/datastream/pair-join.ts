import type { SourceLocation } from '../common/source-location.ts';
import { lambdaFunction } from '../functions/user-function.ts';
import { AsOfJoinTransformation } from '../transformations/as-of-join-transformation.ts';
import type { BaseTransformation } from '../transformations/base-transformation.ts';
import { CoMapTransformation } from '../transformations/co-map-transformation.ts';
import { FlatMapTransformation } from '../transformations/flat-map-transformation.ts';
import { IntervalJoinTransformation, type SidedRecord } from '../transformations/interval-join-transformation.ts';
import { type JoinType, keepsLeft, keepsRight } from '../transformations/join-type.ts';
import { PairMapTransformation } from '../transformations/pair-map-transformation.ts';
import type { StreamEnvironment } from '../transformations/stream-environment.ts';
import { WindowTransformation } from '../transformations/window-transformation.ts';
import type { PairJoin } from './join-arguments.ts';

/** Two records that belong together; `undefined` for one that there is not. */
type Pair = readonly [left: unknown, right: unknown];

const fromLeft = (record: unknown): SidedRecord => [0, record];
const fromRight = (record: unknown): SidedRecord => [1, record];

/** What becomes of a window, for each type of join: the functions of plans that are built at different places are the same. */
const WINDOW_PAIRS: Readonly<Record<JoinType, (window: { readonly elements: readonly SidedRecord[] }) => Pair[]>> = {
  inner: ({ elements }) => pairsOf(elements, 'inner'),
  left: ({ elements }) => pairsOf(elements, 'left'),
  right: ({ elements }) => pairsOf(elements, 'right'),
  full: ({ elements }) => pairsOf(elements, 'full'),
};

function pairsOf(elements: readonly SidedRecord[], type: JoinType): Pair[] {
  const lefts = elements.filter(([side]) => side === 0);
  const rights = elements.filter(([side]) => side === 1);
  if (rights.length === 0) return keepsLeft(type) ? lefts.map(([, left]): Pair => [left, undefined]) : [];
  if (lefts.length === 0) return keepsRight(type) ? rights.map(([, right]): Pair => [undefined, right]) : [];
  return lefts.flatMap(([, left]) => rights.map(([, right]): Pair => [left, right]));
}

/**
 * Adds a join of two sides, as operators that there are: a comap that writes down the side of each record, windows or a
 * join by time, and a map that calls the function of the user with each pair. Gives the last one.
 */
export function addPairJoin(environment: StreamEnvironment, inputs: readonly BaseTransformation[], join: PairJoin, declaredAt: SourceLocation): BaseTransformation {
  const { fn } = join;
  const sides = added(environment, new CoMapTransformation(inputs, { form: 'functions', fns: [lambdaFunction(fromLeft), lambdaFunction(fromRight)] }, true, declaredAt), 'join-sides');
  const pairs = addPairs(environment, sides, join, declaredAt);
  return added(environment, new PairMapTransformation(pairs, lambdaFunction(fn), declaredAt), 'join');
}

function addPairs(environment: StreamEnvironment, sides: BaseTransformation, join: PairJoin, declaredAt: SourceLocation): BaseTransformation {
  switch (join.kind) {
    case 'interval':
      return added(environment, new IntervalJoinTransformation(sides, join.settings, declaredAt), 'interval-join');
    case 'asOf':
      return added(environment, new AsOfJoinTransformation(sides, join.settings, declaredAt), join.settings.table === undefined ? 'as-of-join' : 'table-join');
    case 'window': {
      const windows = added(environment, new WindowTransformation(sides, join.settings, { kind: 'elements' }, declaredAt), 'join-window');
      return added(environment, new FlatMapTransformation(windows, lambdaFunction(WINDOW_PAIRS[join.type]), declaredAt), 'join-pairs');
    }
  }
}

function added<T extends BaseTransformation>(environment: StreamEnvironment, transformation: T, name: string): T {
  transformation.name = name;
  return environment.add(transformation);
}
