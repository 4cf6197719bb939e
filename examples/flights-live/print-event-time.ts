import type { Job, JobResult } from 'sage-kernel';

const EVERY_MS = 200;

/** Shows on standard error how far event time has come, and how many flights were late, until the job ends. */
export async function printEventTime(job: Job): Promise<JobResult> {
  const print = (): void => {
    const { operators } = job.metrics();
    const of = (name: string): (typeof operators)[number] | undefined => operators.find((operator) => operator.name === name);
    const watermark = of('days')?.watermark;
    const isDate = watermark !== undefined && Number.isFinite(watermark);
    const when = isDate ? new Date(watermark).toISOString().slice(0, 16).replace('T', ' ') : 'no event time';
    const text = `${when} | ${of('reports')?.recordsOut ?? 0} reports | ${of('days')?.recordsLate ?? 0} late for their day`;
    process.stderr.write(process.stderr.isTTY ? `\r\u001B[K${text}` : `${text}\n`);
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
