import { spawn } from 'node:child_process';
import { projectRoot, toolEnvironment } from './project.mjs';

/**
 * @typedef {object} CommandResult
 * @property {number} code exit code; 127 when the command does not exist, 128 + n when a signal ended it
 * @property {string} output what it wrote to both streams, in the order it arrived
 * @property {boolean} missing whether the command could not be found at all
 */

/**
 * Runs a command to its end and keeps what it wrote. Never rejects: a command that cannot start is a result too.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: Record<string, string>, echo?: boolean }} [options] `echo` also shows the
 *   output while it comes
 * @returns {Promise<CommandResult>}
 */
export function runCommand(command, args, { cwd = projectRoot, env = {}, echo = false } = {}) {
  return new Promise((resolve) => {
    // npm and friends are .cmd files on Windows, which only a shell can start.
    const shell = process.platform === 'win32' && !command.endsWith('.exe');
    const child = spawn(command, args, { cwd, env: toolEnvironment(env), shell, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (stream) => (chunk) => {
      output += chunk;
      if (echo) stream.write(chunk);
    };
    child.stdout.setEncoding('utf8').on('data', keep(process.stdout));
    child.stderr.setEncoding('utf8').on('data', keep(process.stderr));
    child.on('error', (error) => {
      const missing = error.code === 'ENOENT';
      resolve({ code: missing ? 127 : 126, output: `${output}${error.message}\n`, missing });
    });
    child.on('close', (code, signal) => {
      resolve({ code: code ?? 128 + signalNumber(signal), output, missing: false });
    });
  });
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
