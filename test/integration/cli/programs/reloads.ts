/** A program that means something of its own by SIGHUP. */
import { LocalEnvironment } from '../../../../ts/index.ts';

const env = new LocalEnvironment('reloads');
let n = 0;
env.fromSource(() => n++, { unbounded: true }).sink(() => undefined);
const job = await env.submit();
process.on('SIGHUP', () => {
  console.log(`reloaded while ${job.status}`);
  void job.stop().then(({ status }) => console.log('status', status));
});
// Not before the listener is there.
const started = setInterval(() => {
  if (job.status !== 'running') return;
  clearInterval(started);
  console.log('ready');
}, 1);
