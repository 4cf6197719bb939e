// A job that goes on from its newest checkpoint, and says how it is: [folder, what] are the arguments. Signals come from outside.
import { writeSync } from 'node:fs';
import { join } from 'node:path';

import { type Job, LocalEnvironment } from '../../../ts/index.ts';
import { resuming } from '../pipelines/resuming.ts';

const [folder = '', what = 'nothing'] = process.argv.slice(2);
const say = (line: string): void => void writeSync(1, `${line}\n`);
const env = new LocalEnvironment('resumed', {
  checkpoint: { dir: join(folder, 'checkpoints'), intervalMs: 3 },
  // Longer than any test lasts.
  ...(what === 'falls' ? { restart: { kind: 'fixed', attempts: 1, delayMs: 600_000 } } : {}),
});
const jobs: Job[] = [];
let hasFallen = false;
const completed = (): number => jobs[0]?.metrics().checkpoints?.completed ?? 0;

if (what === 'hangs') env.fromCollection([1]).sink(() => new Promise(() => say('running')));
else {
  resuming(env, folder, true, () => {
    if (what === 'falls' && !hasFallen && completed() >= 3) {
      hasFallen = true;
      throw new Error('as it was told to');
    }
    if (what !== 'hoards' || completed() < 2) return;
    // V8 ends the process: there is no error that anybody could catch.
    for (const hoard: unknown[] = []; ; ) hoard.push(Array.from({ length: 1000 }, (_, n) => ({ n })));
  });
}
const job = await env.submit({ from: 'latest' });
jobs.push(job);
say(`restored ${job.metrics().checkpoints?.restoredEpoch ?? 0}`);
let said = '';
let isTold = false;
const watch = setInterval(() => {
  if (what === 'pauses' && completed() >= 3 && !isTold) {
    isTold = true;
    void job.pause();
  }
  const { status } = job;
  const line = status === 'stopping' || status === 'paused' || status === 'restarting' ? status : completed() >= 3 ? 'running' : '';
  if (line !== said && line !== '') say(line);
  said = line;
}, 1);
const { status } = await job.completion;
clearInterval(watch);
say(status);
