// Barriers of sources that wait for their next record: they are in the hands of their isolate, which has to look.
import { describe, expect, it } from 'vitest';

import { type Job, LocalEnvironment, type Seekable, SourceFunction } from '../../../ts/index.ts';
import { Workplace } from './interrupted.ts';

/** Longer than an isolate works without giving the event loop a turn. */
const BUSY_MS = 60;
const RECORDS = 3000;

describe('a source that waits for its next record', () => {
  it('given a checkpoint that is asked for while its isolate is between two looks at its work, when nothing else comes, then it is written', async () => {
    using place = new Workplace();
    const running: { job?: Job } = {};
    const written = Promise.withResolvers<{ epoch: number }>();
    class Busy extends SourceFunction<number> implements Seekable<number> {
      #given = 0;
      execute(): number | Promise<number> {
        // Until then its isolate has no rest, in which the core would have told it something.
        const { job } = running;
        if (job === undefined || this.#given++ < RECORDS) return 0;
        // The isolate takes its turn of the event loop behind this one, and has not been told by then that there is no more work.
        setImmediate(() => void job.checkpoint().then(written.resolve, written.reject));
        for (const endMs = performance.now() + BUSY_MS; performance.now() < endMs; );
        return new Promise(() => undefined);
      }
      position(): number {
        return 0;
      }
      seek(): void {}
    }
    const env = new LocalEnvironment('quiet', { checkpoint: { dir: place.path('checkpoints') } });
    env.fromSource(Busy).sink(() => undefined);
    running.job = await env.submit();
    expect(await written.promise).toMatchObject({ epoch: 1 });
    await running.job.cancel();
  });
});
