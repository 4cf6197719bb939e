import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { checkNpm, checkProjectNode } from './check-tools.mjs';
import { fetchNode, npmReasons, placeNode } from './fetch-node.mjs';
import { mustBeInstalled } from './lock-entry.mjs';
import { nodeVersionMatches } from './node-version.mjs';
import { projectNode, projectRoot, toolEnvironment } from './project.mjs';
import { runCommand } from './run-command.mjs';
import { SetupProblem } from './setup-problem.mjs';

const modules = join(projectRoot, 'node_modules');
const linkedNode = join(modules, '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');

/**
 * Whether node_modules holds what the lock file names, in the same versions. Read from npm's own note of what
 * it installed: times say nothing after a clone or a cached restore.
 */
export function packagesAreCurrent() {
  const wanted = readLock(join(projectRoot, 'package-lock.json'));
  const installed = readLock(join(modules, '.package-lock.json'));
  if (installed === undefined || !existsSync(projectNode) || !existsSync(linkedNode)) return false;
  if (wanted === undefined) throw new SetupProblem('package-lock.json is missing: restore it from git.');
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '' || !path.startsWith('node_modules/')) continue;
    const found = installed[path];
    if (found === undefined ? mustBeInstalled(entry) : found.version !== entry.version) return false;
  }
  return true;
}

function readLock(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/** Installs exactly what the lock file names and puts the project's own Node in place. */
export async function installPackages() {
  await checkNpm();
  const env = await npmEnvironment();
  // Install scripts are off, so that every version of npm does the same; the only package that needs its
  // script is `node`, which is run below.
  const install = await runCommand('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { env });
  if (install.code !== 0) {
    throw new SetupProblem(`npm ci failed: check the network and the registry; npm says\n${npmReasons(install.output)}`);
  }
  await placeNode(dirname(dirname(projectNode)), env);
  // npm links only commands that are there when it installs, and this one was not.
  const link = await runCommand('npm', ['rebuild', 'node', '--ignore-scripts'], { env });
  if (link.code !== 0) throw new SetupProblem(`npm could not link node_modules/.bin/node:\n${npmReasons(link.output)}`);
  await checkProjectNode();
}

/**
 * The environment npm runs in. npm skips binaries that the Node it runs on is too old for, and that Node need not be
 * the one that will use them: on a Node that the product does not support, npm runs on the project's own, fetched first.
 */
async function npmEnvironment() {
  const manifest = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
  if (nodeVersionMatches(process.versions.node, manifest.engines.node)) return {};
  const node = await fetchNode(manifest.devDependencies.node);
  const { PATH } = toolEnvironment();
  return { PATH: `${dirname(node)}${delimiter}${PATH}` };
}
