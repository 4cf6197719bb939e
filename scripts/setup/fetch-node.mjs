import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { projectNode, setupFolder } from './project.mjs';
import { lastLines, runCommand } from './run-command.mjs';
import { SetupProblem } from './setup-problem.mjs';

/**
 * A Node of another version, from the package `node`; kept in target/.
 *
 * @param {string} version exact
 * @returns {Promise<string>} its executable
 */
export async function fetchNode(version) {
  const folder = join(setupFolder, `node-${version}`);
  const nodePackage = join(folder, 'node_modules', 'node');
  const node = join(nodePackage, 'bin', basename(projectNode));
  if (existsSync(node)) return node;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const install = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', `node@${version}`];
  const fetch = await runCommand('npm', install, { cwd: folder });
  if (fetch.code !== 0) {
    throw new SetupProblem(`Node ${version} could not be fetched: check the network and the registry; npm says\n${npmReasons(fetch.output)}`);
  }
  await placeNode(nodePackage, {});
  return node;
}

/** Does what the install script of the package `node` does: fetches the binary of this platform. */
export async function placeNode(nodePackage, env) {
  const place = await runCommand(process.execPath, ['installArchSpecificPackage.js'], { cwd: nodePackage, env });
  if (place.code === 0 && existsSync(join(nodePackage, 'bin', basename(projectNode)))) return;
  throw new SetupProblem(
    `The package 'node' has no binary for ${process.platform}-${process.arch}, or it could not be fetched; npm says\n${npmReasons(place.output)}`,
  );
}

/** npm gives the reason first and a page of usage after it. */
export function npmReasons(output) {
  const errors = output.split('\n').filter((line) => line.startsWith('npm error'));
  return errors.length === 0 ? lastLines(output) : errors.slice(0, 30).join('\n');
}
