import { expect, it } from 'vitest';

import { LocalEnvironment } from '../../../ts/index.ts';
import { buildGraphs } from '../pipelines/random-graphs.ts';
import { interpret } from './interpret.ts';
import { judge } from './run-graphs.ts';

it('a job that was stopped has no rows that are missing: it says that it was stopped, and nothing else', async () => {
  const env = new LocalEnvironment('stopped');
  buildGraphs(env, ['601'], 'one');
  const job = await env.submit();
  const result = await job.stop();
  expect(judge(['601'], result, true, interpret)).toEqual([{ status: 'stopped' }]);
});
