import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bindingTypesAreCurrent, committedBindingTypes } from '../setup/binding-types.mjs';
import { projectNode, projectRoot, setupFolder } from '../setup/project.mjs';
import { SetupProblem } from '../setup/setup-problem.mjs';
import { distStep, setUp } from '../setup/set-up.mjs';
import { commandCheck, runTestCommand, stepCheck } from './runner.mjs';
import { tallyVitest } from './tally.mjs';

const inModules = (...path) => join(projectRoot, 'node_modules', ...path);

/**
 * Tests that hold the product to milliseconds. They run one file after the other with nothing beside them: two busy files on
 * two cores would measure each other.
 */
const timedFiles = [
  'test/chaos/responsiveness.test.ts',
  'test/chaos/signals.test.ts',
  'test/e2e/flat-map.test.ts',
  'test/e2e/job-control.test.ts',
  'test/native/threads.test.ts',
];

/**
 * vitest over test files.
 *
 * @param {string} name
 * @param {readonly string[]} files all when empty
 * @param {Record<string, string>} env
 * @param {readonly string[]} flags
 * @returns {import('./runner.mjs').Runner}
 */
export function vitest(name, files = [], env = {}, flags = []) {
  const run = async () => {
    const missing = files.filter((file) => !existsSync(join(projectRoot, file)));
    if (missing.length > 0) return { passed: 0, failed: 1, remarks: [`there is no ${missing.join(', ')}`], failures: [] };
    const report = join(setupFolder, `vitest.${process.pid}.json`);
    mkdirSync(setupFolder, { recursive: true });
    rmSync(report, { force: true });
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const outcome = await runTestCommand(
      projectNode,
      [inModules('vitest', 'vitest.mjs'), 'run', ...reporters, ...flags, ...files],
      env,
    );
    const tally = tallyVitest(outcome, existsSync(report) ? readFileSync(report, 'utf8') : undefined);
    rmSync(report, { force: true });
    return tally;
  };
  return { name, groups: ['ts'], run };
}

/** Generated code that is committed must be what its generator makes now. */
function freshness(name, script) {
  return commandCheck(name, ['ts'], projectNode, [join(projectRoot, 'scripts', script), '--check']);
}

async function checkBindingTypes() {
  if (bindingTypesAreCurrent()) return;
  throw new SetupProblem(`${committedBindingTypes} is not what the addon declares: run npm run setup and commit it.`);
}

/** @type {readonly import('./runner.mjs').Runner[]} */
export const typescriptRunners = [
  freshness('generated error codes', 'generate-errors.mjs'),
  freshness('generated FlatBuffers code', 'generate-flatbuffers.mjs'),
  stepCheck('generated binding types', ['ts'], checkBindingTypes),
  commandCheck('tsc', ['ts'], projectNode, [inModules('typescript', 'bin', 'tsc'), '-p', 'tsconfig.check.json']),
  commandCheck('oxlint', ['ts'], projectNode, [inModules('oxlint', 'bin', 'oxlint'), '--deny-warnings']),
  stepCheck('dist compiles', ['ts'], () => setUp([distStep])),
  vitest('vitest', [], {}, timedFiles.map((file) => `--exclude=${file}`)),
  vitest('vitest, timed', timedFiles, {}, ['--no-file-parallelism']),
];
