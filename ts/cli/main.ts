#!/usr/bin/env node
/** The commands `sage-kernel` and `sagek`. */
import { oldNodeProblem } from '../common/old-node-problem.ts';

// An old Node gets as far as this file, and must not load the others.
const problem = oldNodeProblem();
if (problem !== undefined) {
  console.error(problem);
  process.exitCode = 1;
} else {
  const { runCommandLine } = await import('./run-command-line.ts');
  await runCommandLine(process.argv.slice(2));
}
