import { spawn } from 'node:child_process';
import { describe, expect, test } from 'vitest';

const module = (name: string): string => new URL(`../../../scripts/setup/${name}`, import.meta.url).href;

/** Runs a script that turns into `program`, in both ways: replaced where Node can, and as a child. */
async function become(program: string, how: 'replaced' | 'child', signal?: NodeJS.Signals) {
  const code = `
    import { becomeProcess } from ${JSON.stringify(module('become-process.mjs'))};
    import { runCommand } from ${JSON.stringify(module('run-command.mjs'))};
    await runCommand(process.execPath, ['-e', '']); // As set-up does before; it must not keep the signals.
    if (${how === 'child'}) process.execve = undefined;
    await becomeProcess(process.execPath, ['-e', ${JSON.stringify(program)}, 'argument'], process.env);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (signal !== undefined && text.includes('ready')) child.kill(signal);
  });
  const exit = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code: exit, output };
}

describe.each(['replaced', 'child'] as const)('becoming another program, %s', (how) => {
  test('gives it the arguments and ends with its exit code', async () => {
    expect(await become('console.log(process.argv[1]); process.exitCode = 3', how)).toEqual({
      code: 3,
      output: 'argument\n',
    });
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('passes %s on, and lets the program end as it wants', async (signal) => {
    const program = `process.on('${signal}', () => process.exit(7)); setInterval(() => {}, 1000); console.log('ready')`;
    expect(await become(program, how, signal)).toEqual({ code: 7, output: 'ready\n' });
  });
});
