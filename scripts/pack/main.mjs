// The part of `npm run pack` that runs on the project's Node, when packages and dist/ are there.
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { projectRoot } from '../setup/project.mjs';
import { SetupProblem } from '../setup/setup-problem.mjs';
import { buildTarget } from './build-target.mjs';
import { readPackOptions } from './pack-options.mjs';
import { packPackages } from './pack-packages.mjs';
import { allTargets, hostTarget, isFile, targetOf } from './targets.mjs';

try {
  const options = readPackOptions(process.argv.slice(2));
  const output = resolve(projectRoot, options.output);
  mkdirSync(output, { recursive: true });
  const packed = await packPackages(await binariesOf(options), output, options.repository);
  const kib = (bytes) => `${(bytes / 1024).toFixed(0).padStart(7)} KiB`;
  for (const { name, packedBytes, unpackedBytes } of packed) {
    console.log(`${kib(packedBytes)} packed ${kib(unpackedBytes)} unpacked  ${name}`);
  }
  console.log(`in ${output}`);
} catch (error) {
  if (!(error instanceof SetupProblem)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

/** The binary of each platform that is to be packed, built where it has to be. */
async function binariesOf({ targets: names, all, from }) {
  const targets = all ? allTargets() : names.map(targetOf);
  if (from !== undefined) return binariesIn(resolve(projectRoot, from), targets);
  if (targets.length === 0) return binariesIn(join(projectRoot, 'native'), [hostTarget()]);
  const binaries = [];
  for (const target of targets) {
    console.log(`building ${target.triple} ...`);
    binaries.push({ target, file: await buildTarget(target) });
  }
  return binaries;
}

function binariesIn(folder, targets) {
  const fileOf = (target) => join(folder, target.binary);
  const wanted = targets.length > 0 ? targets : allTargets().filter((target) => isFile(fileOf(target)));
  const missing = wanted.filter((target) => !isFile(fileOf(target)));
  if (missing.length > 0 || wanted.length === 0) {
    const names = (missing.length > 0 ? missing : allTargets()).map(({ binary }) => binary).join(', ');
    throw new SetupProblem(`${folder} has no ${names}: build it with npm run pack -- --target <triple>, or give the folder that has it.`);
  }
  return wanted.map((target) => ({ target, file: fileOf(target) }));
}
