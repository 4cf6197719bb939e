import { describe, expect, it } from 'vitest';

import type { StageOp } from '../../../../ts/compiler/physical-plan.ts';
import { routesOf } from '../../../../ts/runtime/stage/routes.ts';

type RouteOp = Extract<StageOp, { kind: 'route' }>;

const route = (names: readonly string[] | undefined, unknown: RouteOp['unknown']): RouteOp => ({ kind: 'route', fn: { form: 'lambda', fn: () => '' } as unknown as RouteOp['fn'], names, unknown });

describe('given the branches a and b', () => {
  it.each([
    ['a', ['a']],
    [['b', 'a'], ['b', 'a']],
    [['a', 'a', 'b', 'a'], ['a', 'b']],
    [[], []],
  ])('when a router gives %j, then the record goes to %j', (result, expected) => {
    expect(routesOf(route(['a', 'b'], 'error'), result)).toEqual(expected);
  });

  it.each(['c', '', 'default', '__proto__'])('when it gives the unknown name %j, then that is an error, or default, or its own', (name) => {
    expect(() => routesOf(route(['a', 'b'], 'error'), name)).toThrow(expect.objectContaining({ code: 'SAGE_ROUTE_UNKNOWN', message: expect.stringContaining(`'${name}'`) as string }));
    expect(routesOf(route(['a', 'b'], 'default'), ['a', name])).toEqual(['a', 'default']);
    expect(routesOf(route(undefined, 'ignored'), name)).toEqual([name]);
  });

  it.each([[undefined], [null], [7], [{}], [['a', 7]], [[['a']]]])('when it gives %j, then it is refused', (result) => {
    expect(() => routesOf(route(['a', 'b'], 'default'), result)).toThrow(expect.objectContaining({ code: 'SAGE_USER_WRONG_TYPE' }));
  });
});
