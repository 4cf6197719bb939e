/** Prints far more than fits into a pipe that nobody reads, says so on standard error, and goes on until somebody stops it. */
import { LocalEnvironment } from '../../../../ts/index.ts';

const env = new LocalEnvironment('unread');
let n = 0;
let isBehind = false;
env.fromSource(() => n++, { unbounded: true }).sink((record) => {
  if (isBehind) return;
  console.log(String(record).padStart(1_000));
  if (process.stdout.writableLength < 1_000_000) return;
  isBehind = true;
  console.error(`behind at ${record}`);
});
const result = await env.submit({ autostop: true });
console.log('status', result.status);
