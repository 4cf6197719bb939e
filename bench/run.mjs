#!/usr/bin/env node
// `npm run bench` and `npm run bench:micro`: sets up what is missing, then goes on with the project's own Node.
// `--no-setup` takes what lies in bench/node_modules as it is.
import { join } from 'node:path';
import { becomeProcess } from '../scripts/setup/become-process.mjs';
import { projectNode, projectRoot, toolEnvironment } from '../scripts/setup/project.mjs';
import { SetupProblem } from '../scripts/setup/setup-problem.mjs';
import { setUp } from '../scripts/setup/set-up.mjs';
import { installBench } from './install.mjs';

const [program, ...rest] = process.argv.slice(2);
const args = rest.filter((arg) => arg !== '--no-setup');
try {
  if (args.length === rest.length) {
    await setUp();
    await installBench();
  }
  await becomeProcess(projectNode, ['--expose-gc', join(projectRoot, 'bench', program), ...args], toolEnvironment());
} catch (error) {
  if (!(error instanceof SetupProblem)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
