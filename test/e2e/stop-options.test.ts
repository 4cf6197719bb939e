// What `stop` is told and does not know is said, and does not stop the job.
import { describe, expect, it } from 'vitest';

import { LocalEnvironment } from '../../ts/index.ts';
import { failureOf } from './support/failure-of.ts';

describe('given a job that runs', () => {
  it.each<[string, unknown, string]>([
    ['a name that is written wrongly', { drian: true }, "stop has no option 'drian'"],
    ['a drain that is a text', { drain: 'yes' }, 'the option drain of stop is'],
    ['no object', true, 'the options of stop are'],
  ])('when stop is given %s, then it says so, and the job goes on', async (_, options, message) => {
    const env = new LocalEnvironment('stopped');
    let given = 0;
    env.fromSource(() => given++, { unbounded: true }).sink(() => undefined);
    await using job = await env.submit();
    expect(await failureOf(job.stop(options as never))).toMatchObject({ code: 'SAGE_PLAN_ARGUMENT', message: expect.stringContaining(message) as string });
    expect(job.status).toBe('running');
    expect((await job.stop()).status).toBe('stopped');
  });
});
