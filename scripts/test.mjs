#!/usr/bin/env node
// `npm test`: sets up what is missing, then runs every runner of both languages. The last line adds them up:
// `N passed, N failed`. `npm test -- --only rust`, `--only ts` or `--only vitest` runs a part; `--heavy` runs
// the suites that only `.ci/run` has time for.
import { checkNativeTools } from './setup/check-tools.mjs';
import { SetupProblem } from './setup/setup-problem.mjs';
import { packagesStep, setUp } from './setup/set-up.mjs';
import { heavyRunners } from './test-run/heavy-runners.mjs';
import { runAll } from './test-run/run-all.mjs';
import { rustRunners } from './test-run/rust-runners.mjs';
import { typescriptRunners } from './test-run/typescript-runners.mjs';

try {
  const runners = chosenRunners(process.argv.slice(2));
  // The builds are runners themselves, so that one that fails does not hide what the others find.
  await setUp([packagesStep]);
  await checkNativeTools();
  process.exitCode = (await runAll(runners)) ? 0 : 1;
} catch (error) {
  console.error(error instanceof SetupProblem ? error.message : error);
  console.log('0 passed, 1 failed');
  process.exitCode = 1;
}

function chosenRunners(args) {
  const heavy = args.includes('--heavy');
  const rest = args.filter((arg) => arg !== '--heavy');
  const all = heavy ? heavyRunners() : [...rustRunners, ...typescriptRunners];
  if (rest.length === 0) return all;
  const only = rest[0] === '--only' ? rest[1] : undefined;
  const chosen = all.filter((runner) => runner.groups.includes(only) || runner.name === only);
  if (chosen.length > 0) return chosen;
  const names = all.map((runner) => runner.name).join(', ');
  throw new SetupProblem(`Unknown arguments '${args.join(' ')}': use --only rust, --only ts or --only <one of: ${names}>.`);
}
