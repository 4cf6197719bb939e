/** The hand-written loop of one of two workers. */
import { parentPort, workerData } from 'node:worker_threads';

import { makeJobs, work } from './heavy-work.ts';

const { from, to } = workerData as { from: number; to: number };
const jobs = makeJobs(from, to);
const byKey = new Map<string, { key: string; count: number; total: number }>();
for (let i = 0; i < jobs.length; i++) {
  const { key, value } = work(jobs[i]!);
  const found = byKey.get(key);
  if (found === undefined) byKey.set(key, { key, count: 1, total: value });
  else {
    found.count++;
    found.total += value;
  }
}
parentPort!.postMessage([...byKey.values()]);
