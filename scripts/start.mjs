#!/usr/bin/env node
// `npm start`: sets up what is missing, then runs the main job on the project's own Node. Arguments after
// `npm start --` go to the job.
import { join } from 'node:path';
import { projectNode, projectRoot, toolEnvironment } from './setup/project.mjs';
import { SetupProblem } from './setup/setup-problem.mjs';
import { setUp } from './setup/set-up.mjs';
import { becomeProcess } from './setup/become-process.mjs';

const mainJob = join(projectRoot, 'examples', 'flights', 'main.ts');

try {
  await setUp();
  await becomeProcess(projectNode, [mainJob, ...process.argv.slice(2)], toolEnvironment());
} catch (error) {
  if (!(error instanceof SetupProblem)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
