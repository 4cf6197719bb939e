import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkNpm, checkProjectNode } from './check-tools.mjs';
import { projectNode, projectRoot } from './project.mjs';
import { lastLines, runCommand } from './run-command.mjs';
import { SetupProblem } from './setup-problem.mjs';

const modules = join(projectRoot, 'node_modules');
const linkedNode = join(modules, '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');

/**
 * Whether node_modules holds what the lock file names, in the same versions. Read from npm's own note of what
 * it installed: times say nothing after a clone or a cached restore. Optional packages may be absent, they are
 * those of other platforms.
 */
export function packagesAreCurrent() {
  const wanted = readLock(join(projectRoot, 'package-lock.json'));
  const installed = readLock(join(modules, '.package-lock.json'));
  if (installed === undefined || !existsSync(projectNode) || !existsSync(linkedNode)) return false;
  if (wanted === undefined) throw new SetupProblem('package-lock.json is missing: restore it from git.');
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '' || !path.startsWith('node_modules/')) continue;
    const found = installed[path];
    if (found === undefined ? entry.optional !== true && entry.peer !== true : found.version !== entry.version) {
      return false;
    }
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
  // Install scripts are off, so that every version of npm does the same; the only package that needs its
  // script is `node`, which is run below.
  const install = await runCommand('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund']);
  if (install.code !== 0) {
    throw new SetupProblem(`npm ci failed: check the network and the registry; npm says\n${reasons(install.output)}`);
  }
  const nodePackage = dirname(dirname(projectNode));
  const place = await runCommand(process.execPath, ['installArchSpecificPackage.js'], { cwd: nodePackage });
  if (place.code !== 0 || !existsSync(projectNode)) {
    throw new SetupProblem(
      `The package 'node' has no binary for ${process.platform}-${process.arch}, or it could not be fetched; npm says\n${reasons(place.output)}`,
    );
  }
  // npm links only commands that are there when it installs, and this one was not.
  const link = await runCommand('npm', ['rebuild', 'node', '--ignore-scripts']);
  if (link.code !== 0) throw new SetupProblem(`npm could not link node_modules/.bin/node:\n${reasons(link.output)}`);
  await checkProjectNode();
}

/** npm gives the reason first and a page of usage after it. */
function reasons(output) {
  const errors = output.split('\n').filter((line) => line.startsWith('npm error'));
  return errors.length === 0 ? lastLines(output) : errors.slice(0, 30).join('\n');
}
