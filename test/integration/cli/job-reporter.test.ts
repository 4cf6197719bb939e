import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { JobReporter } from '../../../ts/cli/job-reporter.ts';
import type { StartedJob } from '../../../ts/environment/submit-observer.ts';
import { LocalEnvironment } from '../../../ts/environment/local-environment.ts';
import type { JobMetrics, JobResult, OperatorCounts } from '../../../ts/transformations/job.ts';

const counts = (id: number, name: string, recordsIn: number, recordsOut: number): OperatorCounts => ({
  id, name, recordsIn, recordsOut, recordsDropped: 0, recordsFiltered: 0, recordsSkipped: 0, deadLetters: 0,
});

/** A job whose counts the test sets. */
class ScriptedJob {
  readonly id = '5f0c8c7e-0000-4000-8000-000000000000';
  readonly name = 'orders';
  status: JobMetrics['status'] = 'running';
  read = 0;
  written = 0;
  result: JobResult | undefined;
  error = undefined;
  readonly #end = Promise.withResolvers<void>();
  readonly ended = this.#end.promise;

  metrics(): JobMetrics {
    return { status: this.status, operators: [counts(0, 'source', this.read, this.read), counts(1, 'sink', this.written, 0)], edges: [], tasks: [], scaling: [] };
  }

  async end(status: JobResult['status']): Promise<void> {
    this.status = status;
    this.result = {
      jobId: this.id, name: this.name, status, recordsIn: this.read, recordsOut: this.written, recordsDropped: 0, recordsSkipped: 0,
      deadLetters: 0, durationMs: 1500, isolates: 1, operators: this.metrics().operators, edges: [], scaling: [],
    };
    this.#end.resolve();
    await this.ended;
    await Promise.resolve();
  }
}

class Terminal {
  readonly columns = 80;
  readonly isTTY: boolean;
  written = '';

  constructor(isTTY: boolean) {
    this.isTTY = isTTY;
  }

  write(text: string): boolean {
    this.written += text;
    return true;
  }

  take(): string {
    const text = this.written;
    this.written = '';
    return text;
  }
}

const env = new LocalEnvironment('orders');
env.fromCollection([1]).sink(() => undefined);

function watch(terminal: Terminal | undefined, json?: (line: string) => void): { job: ScriptedJob; reporter: JobReporter } {
  const job = new ScriptedJob();
  const reporter = new JobReporter({ json, people: terminal as unknown as NodeJS.WriteStream | undefined });
  reporter.watch(job as unknown as StartedJob, env);
  return { job, reporter };
}

describe('the live line of a job', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  test('shows records, the rate since the last time and the status; at the end a summary takes its place', async () => {
    const terminal = new Terminal(true);
    const { job } = watch(terminal);

    job.read = 500_000;
    vi.advanceTimersByTime(250);
    expect(terminal.take()).toBe('\r\u001B[Korders: 500.0 k records in, 2.00 M/s, 0 out');

    job.read = 550_000;
    job.written = 12;
    job.status = 'paused';
    vi.advanceTimersByTime(250);
    expect(terminal.take()).toBe('\r\u001B[Korders (paused): 550.0 k records in, 200.0 k/s, 12 out');

    await job.end('finished');
    expect(terminal.take()).toBe('\r\u001B[Korders: finished in 1.50 s, 550,000 records in, 12 out\n');
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is not for pipes and files: only the summary is', async () => {
    const terminal = new Terminal(false);
    const { job } = watch(terminal);
    vi.advanceTimersByTime(1000);
    await job.end('stopped');
    expect(terminal.take()).toBe('orders: stopped in 1.50 s, 0 records in, 0 out\n');
  });
});

describe('the end of a job', () => {
  test('is one line of JSON when that is wanted, and then no summary', async () => {
    const terminal = new Terminal(false);
    const lines: string[] = [];
    const { job, reporter } = watch(terminal, (line) => lines.push(line));
    await job.end('finished');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([job.result]);
    expect(terminal.take()).toBe('');
    expect(reporter.failedJobs).toBe(0);
  });

  test('is counted when it was no good end', async () => {
    const { job, reporter } = watch(undefined);
    await job.end('failed');
    expect(reporter.failedJobs).toBe(1);
  });
});
