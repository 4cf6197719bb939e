// node cancelled-to-stdout.ts: cancels its job when there is more than the pipe, which nobody reads, can take.
import { LocalEnvironment, TextLinesSink } from '../../../../ts/index.ts';

const env = new LocalEnvironment('stuck');
const enough = Promise.withResolvers<void>();
env
  .fromSource(
    async function* () {
      for (let given = 0; ; given++) {
        if (given === 300) enough.resolve();
        yield 'x'.repeat(1000);
      }
    },
    { unbounded: true },
  )
  .sink(new TextLinesSink('-'));
const job = await env.submit();
await enough.promise;
await job.cancel();
await job.completion.catch(() => undefined);
console.error(`status ${job.status}`);
