import { spawn } from 'node:child_process';
import { signalNumber } from './run-command.mjs';

/**
 * Ends up as another program: replaces this process where Node can do that, so that signals, the terminal and
 * the exit code are the program's own. Elsewhere it runs the program as a child, passes signals on and ends
 * with its exit code.
 *
 * @param {string} program absolute path
 * @param {readonly string[]} args
 * @param {Record<string, string | undefined>} env
 */
export async function becomeProcess(program, args, env) {
  if (typeof process.execve === 'function' && process.platform !== 'win32') {
    const present = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined));
    process.execve(program, [program, ...args], present);
  }
  const child = spawn(program, args, { env, stdio: 'inherit' });
  const pass = (signal) => {
    // A terminal sends Ctrl-C to the child as well; passing it on would make it a second one.
    if (signal === 'SIGINT' && process.stdin.isTTY) return;
    child.kill(signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, pass);
  await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      process.exitCode = code ?? 128 + signalNumber(signal);
      resolve(undefined);
    });
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeListener(signal, pass);
}
