#!/usr/bin/env node
// Brings a fresh clone to where everything can run: packages, native addon, compiled TypeScript. Plain Node (18
// or newer) without dependencies. `npm start` and `npm test` do this by themselves.
import { SetupProblem } from './setup/setup-problem.mjs';
import { setUp } from './setup/set-up.mjs';

try {
  await setUp();
} catch (error) {
  if (!(error instanceof SetupProblem)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
