import type { Job, JobResult } from 'sage-kernel';

const EVERY_MS = 250;

/** Shows on standard error what a job is doing until it ends: records so far, rate, and what each operator has given. */
export async function printProgress(job: Job): Promise<JobResult> {
  const startedMs = performance.now();
  const line = (): string => {
    const { operators } = job.metrics();
    const records = operators.find((operator) => operator.recordsIn > 0)?.recordsOut ?? 0;
    const perSecond = (records / (performance.now() - startedMs)) * 1000;
    const counts = operators.map((operator) => `${operator.name} ${short(operator.recordsIn)}`).join(' | ');
    return `${short(records)} records, ${short(perSecond)}/s | ${counts}`;
  };
  const print = (): void => {
    const text = line();
    if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${text.slice(0, (process.stderr.columns || 80) - 1)}`);
    else process.stderr.write(`${text}\n`);
  };
  const timer = setInterval(print, EVERY_MS);
  try {
    return await job.completion;
  } finally {
    clearInterval(timer);
    print();
    if (process.stderr.isTTY) process.stderr.write('\n');
  }
}

function short(count: number): string {
  if (count >= 1e6) return `${(count / 1e6).toFixed(2)} M`;
  if (count >= 1e3) return `${(count / 1e3).toFixed(1)} k`;
  return count.toFixed(0);
}
