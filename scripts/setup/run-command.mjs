import { spawn } from 'node:child_process';
import { projectRoot, toolEnvironment } from './project.mjs';

/**
 * @typedef {object} CommandResult
 * @property {number} code exit code; 127 when the command does not exist, 128 + n when a signal ended it
 * @property {string} output what it wrote to both streams, in the order it arrived
 * @property {boolean} timedOut whether it was killed because its time was up
 */

/**
 * @typedef {object} CommandOptions
 * @property {string} [cwd] the project's root when absent
 * @property {Record<string, string>} [env] added to the environment
 * @property {boolean} [echo] also shows the output while it comes
 * @property {number} [timeLimitMs] kills the command and everything it started when it takes longer
 */

const windows = process.platform === 'win32';

/**
 * Runs a command to its end and keeps what it wrote. Never rejects: a command that cannot start is a result too.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {CommandOptions} [options]
 * @returns {Promise<CommandResult>}
 */
export function runCommand(command, args, { cwd = projectRoot, env = {}, echo = false, timeLimitMs } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: toolEnvironment(env),
      // npm and friends are .cmd files on Windows, which only a shell can start.
      shell: windows && !command.endsWith('.exe'),
      // A group of its own, so that the command's children can be ended together with it.
      detached: !windows,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const endGroup = groupEnder(child);
    let timedOut = false;
    const timer =
      timeLimitMs === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            endGroup('SIGKILL');
          }, timeLimitMs);
    let output = '';
    const keep = (stream) => (chunk) => {
      output += chunk;
      if (echo) stream.write(chunk);
    };
    child.stdout.setEncoding('utf8').on('data', keep(process.stdout));
    child.stderr.setEncoding('utf8').on('data', keep(process.stderr));
    const finish = (code) => {
      clearTimeout(timer);
      forget(endGroup);
      resolve({ code, output, timedOut });
    };
    child.on('error', (error) => {
      output += `${error.message}\n`;
      finish(error.code === 'ENOENT' ? 127 : 126);
    });
    child.on('close', (code, signal) => finish(code ?? 128 + signalNumber(signal)));
  });
}

/** How to end each command that runs now. */
const running = new Set();

function groupEnder(child) {
  const end = (signal) => {
    try {
      if (windows) child.kill(signal);
      else process.kill(-child.pid, signal);
    } catch {
      // It has ended by itself.
    }
  };
  // In groups of their own, commands do not hear Ctrl-C or a kill of this process.
  if (running.size === 0) for (const signal of endSignals) process.on(signal, endAll);
  running.add(end);
  return end;
}

function forget(end) {
  running.delete(end);
  if (running.size === 0) for (const signal of endSignals) process.removeListener(signal, endAll);
}

const endSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'];

function endAll(signal) {
  for (const end of running) end(signal);
  process.exit(128 + signalNumber(signal));
}

const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 };

/** The number a shell would add to 128 for a process that this signal ended. */
export function signalNumber(signal) {
  return signalNumbers[signal] ?? 0;
}

/** The last lines of a long output: where compilers and npm put the reason. */
export function lastLines(output, count = 60) {
  return output.trimEnd().split('\n').slice(-count).join('\n');
}
