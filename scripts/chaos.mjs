#!/usr/bin/env node
// `npm run chaos`: sets up what is missing, then kills processes and starts them again, on the project's own Node.
import { join } from 'node:path';
import { becomeProcess } from './setup/become-process.mjs';
import { projectNode, projectRoot, toolEnvironment } from './setup/project.mjs';
import { SetupProblem } from './setup/setup-problem.mjs';
import { setUp } from './setup/set-up.mjs';

try {
  await setUp();
  await becomeProcess(projectNode, [join(projectRoot, 'test', 'chaos', 'kills', 'main.ts'), ...process.argv.slice(2)], toolEnvironment());
} catch (error) {
  if (!(error instanceof SetupProblem)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
