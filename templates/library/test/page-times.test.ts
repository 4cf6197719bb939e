import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LocalEnvironment } from 'sage-kernel';

import { pageTimes, type PageTime, ParseVisit } from '../src/index.ts';

async function run(lines: readonly string[]): Promise<PageTime[]> {
  const env = new LocalEnvironment('test');
  const times: PageTime[] = [];
  pageTimes(env.fromCollection(lines).flatMap(ParseVisit)).sink(times);
  await env.submit({ autostop: true });
  return times.toSorted((a, b) => a.key.localeCompare(b.key));
}

test('visits are summed up by page', async () => {
  assert.deepEqual(await run(['/start 2', '/help 5', '/start 4']), [
    { key: '/help', visits: 1, meanSeconds: 5, longestSeconds: 5 },
    { key: '/start', visits: 2, meanSeconds: 3, longestSeconds: 4 },
  ]);
});

test('lines that are no visits are left out', async () => {
  assert.deepEqual(await run(['', 'start 2', '/start', '/start two', '/start 1.5']), [
    { key: '/start', visits: 1, meanSeconds: 1.5, longestSeconds: 1.5 },
  ]);
});
