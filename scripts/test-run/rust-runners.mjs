import { commandCheck, runTestCommand, stepCheck } from './runner.mjs';
import { tallyCargoTest } from './tally.mjs';
import { addonStep, setUp } from '../setup/set-up.mjs';

/**
 * The crates that `cargo test` can run. The binding is not one of them: a test binary of it would need the
 * symbols that only a Node process has, so test/native covers it from there.
 */
const testableCrates = ['--workspace', '--exclude', 'sage-node'];

/**
 * `cargo test` over the workspace.
 *
 * @param {string} name
 * @param {readonly string[]} args in front of `--no-fail-fast`
 * @param {Record<string, string>} env
 * @returns {import('./runner.mjs').Runner}
 */
export function cargoTest(name, args = testableCrates, env = {}) {
  const all = ['test', '--locked', ...args, '--no-fail-fast'];
  return { name, groups: ['rust'], run: async () => tallyCargoTest(await runTestCommand('cargo', all, env)) };
}

/** @type {readonly import('./runner.mjs').Runner[]} */
export const rustRunners = [
  commandCheck('cargo fmt', ['rust'], 'cargo', ['fmt', '--all', '--', '--check']),
  commandCheck('cargo clippy', ['rust'], 'cargo', [
    'clippy',
    '--locked',
    '--workspace',
    '--all-targets',
    '--',
    '-D',
    'warnings',
  ]),
  cargoTest('cargo test'),
  stepCheck('native addon builds', ['rust', 'ts'], () => setUp([addonStep])),
];
