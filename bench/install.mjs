#!/usr/bin/env node
// Installs the peers of the benchmarks into bench/node_modules, and beside them the product as its package would be:
// bundles and addon, in the folder where a user's program finds them.
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { projectNode, projectRoot } from '../scripts/setup/project.mjs';
import { lastLines, runCommand } from '../scripts/setup/run-command.mjs';
import { SetupProblem } from '../scripts/setup/setup-problem.mjs';
import { sourceHash } from '../scripts/setup/source-hash.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, 'node_modules');

/** Installs what is missing or older than its sources; quick when there is nothing to do. */
export async function installBench(say = (line) => console.log(line)) {
  await installPeers(say);
  await placeProduct('sage-kernel', bundle, say);
  await placeProduct('sage-kernel-unbundled', compile, say);
}

async function installPeers(say) {
  const lock = readFileSync(join(here, 'package-lock.json'), 'utf8');
  const stamp = join(modules, '.bench-lock.json');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  say('bench: installing the peers of bench/package-lock.json ...');
  // npm leaves out binaries that the Node it runs on is too old for: the project's own comes first on its path.
  const env = { PATH: `${dirname(projectNode)}:${process.env.PATH ?? ''}` };
  // Not `npm ci`: registries often lack the binaries of some other platform for a while, and it refuses a lock without them.
  const install = await runCommand('npm', ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: here, env });
  if (install.code !== 0) throw new SetupProblem(`npm install in bench/ failed; npm says\n${lastLines(install.output)}`);
  writeFileSync(stamp, lock);
}

/** A folder like the unpacked package: manifest, addon, and `dist` as `build` makes it. */
async function placeProduct(name, build, say) {
  const folder = join(modules, name);
  const stamp = join(folder, '.sources');
  const sources = sourceHash(['package.json', 'tsconfig.json', 'scripts/setup/bundle.mjs', 'ts', 'native']);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) return;
  say(`bench: placing ${name} in bench/node_modules ...`);
  const fresh = `${folder}.${process.pid}.tmp`;
  try {
    mkdirSync(join(fresh, 'native'), { recursive: true });
    cpSync(join(projectRoot, 'package.json'), join(fresh, 'package.json'));
    for (const file of readdirSync(join(projectRoot, 'native'))) {
      if (/^sage-kernel\..*\.node$/.test(file)) cpSync(join(projectRoot, 'native', file), join(fresh, 'native', file));
    }
    const built = await build(join(fresh, 'dist'));
    if (built.code !== 0) throw new SetupProblem(`${name} cannot be built:\n${lastLines(built.output)}`);
    writeFileSync(join(fresh, '.sources'), sources);
    rmSync(folder, { recursive: true, force: true });
    renameSync(fresh, folder);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

const bundle = (dist) => runCommand(projectNode, [join(projectRoot, 'scripts', 'setup', 'bundle.mjs'), dist]);

/** One JavaScript file for each source file: what the bundles are compared with. */
const compile = (dist) =>
  runCommand(projectNode, [join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', join(projectRoot, 'tsconfig.json'), '--outDir', dist]);

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await installBench();
  } catch (error) {
    if (!(error instanceof SetupProblem)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
