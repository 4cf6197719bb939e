import { expect, test } from 'vitest';

import { forgetEnded } from '../../../ts/jobmanager/forget-ended.ts';

test.each([
  ['fewer than there may be', 'a- b+ c-', 3, 'a- b+ c-'],
  ['as many', 'a- b- c+', 2, 'a- b- c+'],
  ['more: the oldest go, whatever runs between them', 'a- b+ c- d- e+ f-', 2, 'b+ d- e+ f-'],
  ['only running ones', 'a+ b+', 0, 'a+ b+'],
  ['none wanted', 'a- b+ c-', 0, 'b+'],
])('of ended jobs, %s', (_what, before, most, after) => {
  // Given jobs in the order of their starts, + for those that run
  const jobs = new Map(before.split(' ').map((job) => [job[0]!, job[1] === '+']));
  // When
  forgetEnded(jobs, (isRunning) => isRunning, most);
  // Then
  expect([...jobs].map(([id, isRunning]) => `${id}${isRunning ? '+' : '-'}`).join(' ')).toBe(after);
});
