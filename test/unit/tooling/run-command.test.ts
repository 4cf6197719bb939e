import { describe, expect, test } from 'vitest';
import { lastLines, runCommand } from '../../../scripts/setup/run-command.mjs';

const node = process.execPath;
const script = (code: string): string[] => ['-e', code];

describe('runCommand', () => {
  test('keeps what the command wrote to both streams, and its exit code', async () => {
    const result = await runCommand(node, script("console.log('out'); console.error('err'); process.exitCode = 3"));
    expect(result.code).toBe(3);
    expect(result.output.split('\n').sort()).toEqual(['', 'err', 'out']);
  });

  test('gives 127 for a command that does not exist', async () => {
    expect((await runCommand('no-such-command-of-sage', [])).code).toBe(127);
  });

  test('gives 128 and the number of the signal that ended the command', async () => {
    expect((await runCommand(node, script("process.kill(process.pid, 'SIGKILL')"))).code).toBe(128 + 9);
  });

  test('ends a command that takes too long, together with what it started', async () => {
    // Given a command that waits for a child of its own, which holds the output open for ever
    const child = 'setInterval(() => {}, 1000)';
    const parent = `require('node:child_process').spawnSync(process.execPath, ['-e', '${child}'], { stdio: 'inherit' })`;
    // When its time is up
    const result = await runCommand(node, script(parent), { timeLimitMs: 700 });
    // Then the output was closed, which takes the end of both
    expect(result.timedOut).toBe(true);
    expect(result.code).toBe(128 + 9);
  });

  test('finds the tools of the project first', async () => {
    const result = await runCommand('node', ['--version']);
    expect(result.output.trim()).toBe('v24.21.0');
  });
});

test('lastLines keeps the end, where the reason is', () => {
  expect(lastLines('a\nb\nc\n', 2)).toBe('b\nc');
});
