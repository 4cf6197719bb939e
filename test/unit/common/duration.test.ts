import { expect, test } from 'vitest';
import { parseDuration } from '../../../ts/common/duration.ts';

test.each([
  ['500ms', 500],
  ['10s', 10_000],
  ['1.5h', 5_400_000],
  ['2m', 120_000],
  ['2min', 120_000],
  ['1d', 86_400_000],
  [250, 250],
  [0, 0],
] as const)('%s is %d ms', (duration, ms) => {
  expect(parseDuration(duration)).toBe(ms);
});

test.each(['10', 's', '-1s', '1 week', '', Number.NaN, -1, Infinity, null, {}])('%s is refused', (duration) => {
  expect(() => parseDuration(duration as never)).toThrow(expect.objectContaining({ code: 'SAGE_PLAN_ARGUMENT' }));
});
