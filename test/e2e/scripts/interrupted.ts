// An endless job: SIGINT must let what is in flight reach the sink, then end the process as the signal would.
import { LocalEnvironment } from '../../../ts/index.ts';

const env = new LocalEnvironment('endless');
let made = 0;
let arrived = 0;
env
  .fromSource(() => made++, { unbounded: true })
  .sink(async () => {
    arrived++;
    if (arrived === 10) console.log('running');
    await new Promise((resolve) => setImmediate(resolve));
  });
const job = await env.submit();
await job.completion;
console.log(`ended ${job.status} with ${made - arrived} lost`);
