import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { JobReporter } from '../../../ts/cli/job-reporter.ts';
import { LiveProgress } from '../../../ts/cli/progress/live-progress.ts';
import { PlainProgress } from '../../../ts/cli/progress/plain-progress.ts';
import { showProgress } from '../../../ts/cli/progress/show-progress.ts';
import { Screen } from './support/screen.ts';
import { env, ScriptedJob } from './support/scripted-job.ts';

const asTerminal = (screen: Screen): NodeJS.WriteStream => screen as unknown as NodeJS.WriteStream;

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] }));
afterEach(() => void vi.useRealTimers());

describe('on a terminal', () => {
  test('a table four times a second; at the end a summary takes its place', async () => {
    const screen = new Screen(100);
    const display = new LiveProgress(asTerminal(screen), [asTerminal(screen)], true);
    const job = new ScriptedJob();
    display.started(job.started, env);

    job.read = 500_000;
    job.queueFill = 1;
    job.pass([10, 0, 240], [250, 0, 0]);
    vi.advanceTimersByTime(250);
    expect(screen.text).toBe(
      [
        'orders: running for 0 s, 500.0 k records in (2.00 M/s), 0 out',
        '  operator   inst       in      out   rate/s queue',
        '  source        2  500.0 k  500.0 k   2.00 M        [backpressure]',
        '  parse         2  500.0 k  500.0 k   2.00 M',
        '  sink          2        0        0        0  100%',
      ].join('\n'),
    );

    // When the program prints, it stands above
    screen.write('hello\n');
    job.status = 'paused';
    vi.advanceTimersByTime(250);
    expect(screen.text).toMatch(/^hello\norders: paused for 0 s, .*\n {2}operator/);

    job.written = 12;
    await job.end('finished');
    display.ended(job.started);
    expect(screen.text).toBe('hello\norders: finished in 1.50 s, 500,000 records in, 12 out');
    expect(vi.getTimerCount()).toBe(0);
    expect(screen.listenerCount('resize')).toBe(0);
  });

  test('several jobs share the block; one that ends leaves a line above it', async () => {
    const screen = new Screen(100);
    const display = new LiveProgress(asTerminal(screen), [asTerminal(screen)], true);
    const [first, second] = [new ScriptedJob('first'), new ScriptedJob('second')];
    for (const job of [first, second]) display.started(job.started, env);
    vi.advanceTimersByTime(250);
    expect(screen.text.match(/^\w+: running/gm)).toEqual(['first: running', 'second: running']);
    await first.end('failed');
    display.ended(first.started);
    vi.advanceTimersByTime(250);
    expect(screen.text).toMatch(/^first: failed in 1\.50 s.*\nsecond: running/);
  });

  test('fits a terminal that has become narrower at once, without waiting for the next time', () => {
    const screen = new Screen(100);
    const display = new LiveProgress(asTerminal(screen), [asTerminal(screen)], true);
    display.started(new ScriptedJob().started, env);
    vi.advanceTimersByTime(250);
    screen.resize(45);
    expect(screen.text.split('\n').map((line) => line.length <= 44)).toEqual(Array.from({ length: 5 }, () => true));
    expect(screen.text).toMatch(/^ {2}operator +inst +rate\/s$|^ {2}operator +rate\/s/m);
  });
});

describe('elsewhere', () => {
  test('a line every ten seconds, and one at the end', async () => {
    const lines: string[] = [];
    const display = new PlainProgress({ write: (text: unknown) => lines.push(String(text)) > 0 }, true);
    const job = new ScriptedJob();
    display.started(job.started, env);
    vi.advanceTimersByTime(9_999);
    expect(lines).toEqual([]);
    job.read = 40_000;
    job.pass([0, 0, 10_000], [10_000, 0, 0]);
    vi.advanceTimersByTime(1);
    job.read = 80_000;
    job.pass([10_000, 0, 0], [10_000, 0, 0]);
    vi.advanceTimersByTime(10_000);
    await job.end('stopped');
    display.ended(job.started);
    expect(lines).toEqual([
      'orders: running for 10 s, 40.0 k records in (4.0 k/s), 0 out [backpressure: source]\n',
      'orders: running for 20 s, 80.0 k records in (4.0 k/s), 0 out\n',
      'orders: stopped in 1.50 s, 80,000 records in, 0 out\n',
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is where the output is no terminal, or one that cannot move its cursor', () => {
    const screen = new Screen(80);
    vi.stubEnv('TERM', 'xterm');
    expect(showProgress(asTerminal(screen), [], true)).toBeInstanceOf(LiveProgress);
    vi.stubEnv('TERM', 'dumb');
    expect(showProgress(asTerminal(screen), [], true)).toBeInstanceOf(PlainProgress);
    vi.unstubAllEnvs();
    expect(showProgress(Object.assign(screen, { isTTY: false }) as unknown as NodeJS.WriteStream, [], true)).toBeInstanceOf(PlainProgress);
  });
});

describe('the end of a job', () => {
  test('is one line of JSON when that is wanted', async () => {
    const lines: string[] = [];
    const reporter = new JobReporter({ json: (line) => lines.push(line), progress: undefined });
    const job = new ScriptedJob();
    reporter.watch(job.started, env);
    await job.end('finished');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([job.result]);
    expect(reporter.failedJobs).toBe(0);
  });

  test('is counted when it was no good end', async () => {
    const reporter = new JobReporter({ json: undefined, progress: undefined });
    const job = new ScriptedJob();
    reporter.watch(job.started, env);
    await job.end('failed');
    expect(reporter.failedJobs).toBe(1);
  });
});
