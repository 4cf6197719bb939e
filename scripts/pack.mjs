#!/usr/bin/env node
// `npm run pack`: makes the tarballs that `npm publish` takes, one for the package and one for each platform. docs/internals/release.md
// says how; `npm run pack -- --help` lists the options.
import { join } from 'node:path';
import { packUsage, readPackOptions } from './pack/pack-options.mjs';
import { becomeProcess } from './setup/become-process.mjs';
import { projectNode, projectRoot, toolEnvironment } from './setup/project.mjs';
import { addonStep, distStep, packagesStep, setUp } from './setup/set-up.mjs';
import { SetupProblem } from './setup/setup-problem.mjs';

try {
  const args = process.argv.slice(2);
  const options = readPackOptions(args);
  if (options.help) {
    console.log(packUsage);
  } else {
    const buildsHere = options.from === undefined && options.targets.length === 0;
    await setUp(buildsHere ? [packagesStep, addonStep, distStep] : [packagesStep, distStep]);
    await becomeProcess(projectNode, [join(projectRoot, 'scripts', 'pack', 'main.mjs'), ...args], toolEnvironment());
  }
} catch (error) {
  if (!(error instanceof SetupProblem)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
