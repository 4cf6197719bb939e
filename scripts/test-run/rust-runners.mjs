import { commandCheck, runTestCommand, stepCheck } from './runner.mjs';
import { tallyCargoTest } from './tally.mjs';
import { addonStep, setUp } from '../setup/set-up.mjs';

/**
 * All crates. The library of the binding is no test binary (its `Cargo.toml` says so), for that would need the symbols
 * that only a Node process has, and test/native covers it from there; but its test that reads the source is one.
 */
const testableCrates = ['--workspace'];

/**
 * `cargo test` over the workspace.
 *
 * @param {string} name
 * @param {readonly string[]} args in front of `--no-fail-fast`
 * @param {Record<string, string>} env
 * @param {readonly string[]} skipped names of tests that are left out
 * @returns {import('./runner.mjs').Runner}
 */
export function cargoTest(name, args = testableCrates, env = {}, skipped = []) {
  const all = ['test', '--locked', ...args, '--no-fail-fast', '--', ...skipped.flatMap((test) => ['--skip', test])];
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
