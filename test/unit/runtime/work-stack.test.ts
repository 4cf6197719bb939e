import { describe, expect, it } from 'vitest';

import type { Segment } from '../../../ts/runtime/stage/segment.ts';
import { WorkStack } from '../../../ts/runtime/stage/work-stack.ts';

const segment = {} as Segment;

/** What is worked on, one item after the other. */
function order(stack: WorkStack): unknown[] {
  const sources: unknown[] = [];
  for (let { top } = stack; top !== undefined; { top } = stack) {
    sources.push(top.source);
    stack.remove(top);
  }
  return sources;
}

describe('what a task has begun', () => {
  it('is worked on from the bottom of the pipeline, and of one root in the order in which it came', () => {
    const stack = new WorkStack();
    for (const [root, source] of [[2, 'upper'], [7, 'lower, older'], [4, 'middle'], [7, 'lower, newer']] as const) stack.push(root, segment, source, 1);
    expect(stack.hasRoot(4)).toBe(true);
    expect(order(stack)).toEqual(['lower, older', 'lower, newer', 'middle', 'upper']);
  });

  it('has its source below everything, also what another branch gives meanwhile', () => {
    // given: a source whose number is greater than that of an operator of another branch
    const stack = new WorkStack();
    stack.resumeSource({ root: 5, segment, source: 'source', keys: undefined, times: undefined, next: 0, end: Number.POSITIVE_INFINITY });
    // when
    stack.push(2, segment, 'results', 1);
    // then
    expect(stack.size).toBe(2);
    expect(order(stack)).toEqual(['results', 'source']);
  });
});
