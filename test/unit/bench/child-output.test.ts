import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';

import { childOutput, reportIn } from '../../../bench/standard-input/child-output.ts';

const TIMEOUT_MS = 60_000;
const child = (program: string): ReturnType<typeof spawn> => spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'pipe'] });

describe('the output of a child', { timeout: TIMEOUT_MS }, () => {
  it('is whole, however long before the others it has ended', async () => {
    // Given two children of which the second is gone before anybody asks for its output
    const [slow, quick] = [child('process.stdin.resume(); setInterval(() => {}, 1000)'), child('console.log("report")')];
    const outputs = [childOutput('slow', slow), childOutput('quick', quick)];
    // When the first ends after that
    await once(quick, 'close');
    slow.kill('SIGKILL');
    // Then the report of the second is still there
    await expect(outputs[0]).rejects.toThrow('slow ended by SIGKILL: it wrote nothing to standard error');
    expect(await outputs[1]).toEqual({ stdout: 'report\n', stderr: '' });
  });

  it('of one that fails is an error with its exit code and what it said', async () => {
    await expect(childOutput('the reader', child('console.error("no such pipe"); process.exitCode = 3'))).rejects.toThrow('the reader ended with exit code 3: no such pipe');
  });

  it('of one that cannot be started is an error', async () => {
    await expect(childOutput('the reader', spawn('/nowhere/node', []))).rejects.toThrow('the reader did not start');
  });

  it('that is no JSON is shown', () => {
    expect(reportIn<{ lines: number }>('the reader', '{"lines":1}')).toEqual({ lines: 1 });
    expect(() => reportIn('the reader', '')).toThrow('the reader ended well and printed no report but ""');
  });
});
