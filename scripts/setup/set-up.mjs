import { bindingTypesAreCurrent, committedBindingTypes, updateBindingTypes } from './binding-types.mjs';
import { addonIsCurrent, buildAddon } from './build-addon.mjs';
import { buildDist, distIsCurrent } from './build-dist.mjs';
import { checkScriptNode } from './check-tools.mjs';
import { installPackages, packagesAreCurrent } from './install-packages.mjs';
import { setupFolder } from './project.mjs';
import { withSetupLock } from './setup-lock.mjs';

/**
 * @typedef {object} SetupStep
 * @property {string} name what is printed while it runs
 * @property {() => boolean} isCurrent whether there is nothing to do; cheap
 * @property {() => void | Promise<void>} run rejects with a SetupProblem that says what to do
 */

/** @type {SetupStep} */
export const packagesStep = {
  name: 'installing the packages of package-lock.json',
  isCurrent: packagesAreCurrent,
  run: installPackages,
};

/** @type {SetupStep} */
export const addonStep = {
  name: 'building the native addon (Rust, release; some minutes the first time)',
  isCurrent: addonIsCurrent,
  run: buildAddon,
};

/** @type {SetupStep} */
export const bindingTypesStep = {
  name: `updating ${committedBindingTypes} from the addon (commit it)`,
  isCurrent: bindingTypesAreCurrent,
  run: updateBindingTypes,
};

/** @type {SetupStep} */
export const distStep = { name: 'compiling ts/ into dist/', isCurrent: distIsCurrent, run: buildDist };

/** Everything `npm start` needs. */
export const allSteps = [packagesStep, addonStep, bindingTypesStep, distStep];

/**
 * Brings the steps up to date, in order. Quiet and quick when there is nothing to do; otherwise one line a
 * step with its time. Stops at the first step that fails, by throwing its SetupProblem.
 *
 * @param {readonly SetupStep[]} steps
 * @param {(line: string) => void} say
 * @param {string} [lockFolder] where the lock lies that keeps two set-ups apart
 */
export async function setUp(steps = allSteps, say = (line) => console.log(line), lockFolder = setupFolder) {
  checkScriptNode();
  if (steps.every((step) => step.isCurrent())) return;
  await withSetupLock(
    async () => {
      for (const step of steps) {
        if (step.isCurrent()) continue; // Perhaps another set-up did it while this one waited.
        say(`set-up: ${step.name} ...`);
        const startedAt = performance.now();
        await step.run();
        say(`set-up: done in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
      }
    },
    (holder) => say(`set-up: waiting for another set-up of this folder (process ${holder}) ...`),
    lockFolder,
  );
}
