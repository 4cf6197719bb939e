import { planError } from '../common/errors.ts';
import type { SourceLocation } from '../common/source-location.ts';
import { describeValue } from '../functions/check-user-function.ts';
import { isClass } from '../functions/class-detection.ts';
import type { RouteTransformation, UnknownRoute } from '../transformations/route-transformation.ts';
import type { Branches } from './record-types.ts';
import { StreamBase } from './stream-base.ts';

/** The branch for names that have none of their own. */
const DEFAULT = 'default';

/** A route with its branches built. */
export interface BuiltRoute<S> {
  readonly route: RouteTransformation;
  /** What the branches returned, to be merged. */
  readonly streams: readonly [S, ...S[]];
}

/**
 * Builds the branches of a route and gives the streams that they return. A branch may also end in sinks and return nothing.
 *
 * @throws SageError SAGE_PLAN_ARGUMENT for branches that are no functions of streams, or when no branch returns a stream.
 */
export function buildBranches<S extends StreamBase>(
  branches: Branches<S>,
  addRoute: (names: readonly string[], unknown: UnknownRoute) => RouteTransformation,
  branchOf: (route: RouteTransformation, name: string) => S,
  declaredAt: SourceLocation,
): BuiltRoute<S> {
  const entries = checkBranches(branches, declaredAt);
  const names = entries.map(([name]) => name);
  const route = addRoute(
    names.filter((name) => name !== DEFAULT),
    names.includes(DEFAULT) ? 'default' : 'error',
  );
  const merged: S[] = [];
  for (const [name, build] of entries) {
    const built: unknown = build(branchOf(route, name));
    if (built instanceof StreamBase) merged.push(built as S);
    else if (built !== undefined) {
      throw planError('SAGE_PLAN_ARGUMENT', {
        message: `the branch '${name}' of route returned ${describeValue(built)}`,
        expected: 'a stream, or nothing when the branch ends in a sink',
        fix: 'Return the stream: (stream) => stream.map(...).',
        declaredAt,
      });
    }
  }
  const [first, ...others] = merged;
  if (first !== undefined) return { route, streams: [first, ...others] };
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: 'no branch of route returned a stream, so that there is nothing to merge',
    expected: 'at least one branch that returns its stream',
    fix: "Use route(router) without branches and .to('name') for each of them.",
    declaredAt,
  });
}

function checkBranches<S>(branches: Branches<S>, declaredAt: SourceLocation): [string, Branches<S>[string]][] {
  const entries = typeof branches === 'object' && branches !== null && !Array.isArray(branches) ? Object.entries(branches) : [];
  const wrong = entries.find(([, build]) => typeof build !== 'function' || isClass(build));
  if (entries.length > 0 && wrong === undefined) return entries;
  throw planError('SAGE_PLAN_ARGUMENT', {
    message: wrong === undefined ? `route was given ${entries.length === 0 && typeof branches === 'object' ? 'no branches' : describeValue(branches)}` : `the branch '${wrong[0]}' of route is ${describeValue(wrong[1])}`,
    expected: 'an object that has a function of a stream for each name',
    fix: 'Write route(router, { large: (stream) => stream.map(...), default: (stream) => stream }).',
    declaredAt,
  });
}
