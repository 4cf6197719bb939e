/**
 * @typedef {object} Runner
 * @property {string} name for headings and `--only`
 * @property {readonly ('rust' | 'ts')[]} groups the parts of `--only` it belongs to
 * @property {() => Promise<import('./tally.mjs').Tally>} run never rejects
 */

import { runCommand } from '../setup/run-command.mjs';
import { SetupProblem } from '../setup/setup-problem.mjs';
import { tallyCheck } from './tally.mjs';

/** A runner that hangs is ended after this, and counts as failed. */
export const runnerTimeLimitMs = 30 * 60_000;

/**
 * A command that says yes or no.
 *
 * @param {string} name
 * @param {Runner['groups']} groups
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {Runner}
 */
export function commandCheck(name, groups, command, args) {
  return { name, groups, run: async () => tallyCheck(await runTestCommand(command, args)) };
}

/**
 * A step of the set-up as a check: when it fails, the other runners still run.
 *
 * @param {string} name
 * @param {Runner['groups']} groups
 * @param {() => Promise<void>} step
 * @returns {Runner}
 */
export function stepCheck(name, groups, step) {
  return {
    name,
    groups,
    run: async () => {
      try {
        await step();
        return { passed: 1, failed: 0, remarks: [], failures: [] };
      } catch (error) {
        console.error(error instanceof SetupProblem ? error.message : error);
        return { passed: 0, failed: 1, remarks: ['see above'], failures: [] };
      }
    },
  };
}

/** Runs a command of the tests, with its output shown and its time limited. */
export function runTestCommand(command, args, env = {}) {
  return runCommand(command, args, { env, echo: true, timeLimitMs: runnerTimeLimitMs });
}
