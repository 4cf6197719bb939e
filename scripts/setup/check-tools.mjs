import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeVersionMatches, versionAtLeast } from './node-version.mjs';
import { projectNode, projectRoot } from './project.mjs';
import { runCommand } from './run-command.mjs';
import { SetupProblem } from './setup-problem.mjs';

const minimumNodeOfScripts = '18.0.0';

/** The Node that runs these scripts; any from 18 on, since the product itself runs on the project's own. */
export function checkScriptNode(version = process.versions.node) {
  if (versionAtLeast(version, minimumNodeOfScripts)) return;
  throw new SetupProblem(
    `Node ${version} is too old to set up this project: install Node 18 or newer from https://nodejs.org.`,
  );
}

/** npm, which fetches the packages of the lock file. */
export async function checkNpm() {
  const npm = await runCommand('npm', ['--version']);
  if (npm.code === 0) return;
  throw new SetupProblem('npm was not found: install Node.js together with npm from https://nodejs.org.');
}

/** The Node of the project must be one the product supports. */
export async function checkProjectNode() {
  const range = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')).engines.node;
  const node = await runCommand(projectNode, ['--version']);
  if (node.code === 0 && nodeVersionMatches(node.output, range)) return;
  const found = node.code === 0 ? `is ${node.output.trim()}` : 'does not start';
  throw new SetupProblem(
    `The project's own Node (node_modules/node) ${found}, but ${range} is needed: ` +
      'delete node_modules and run npm run setup again.',
  );
}

/** Rust in the version the workspace names, and a C compiler for what links against it. */
export async function checkNativeTools() {
  const wanted = minimumRust();
  for (const tool of ['cargo', 'rustc']) {
    const found = await runCommand(tool, ['--version']);
    if (found.code !== 0) {
      throw new SetupProblem(
        `${tool} was not found: install Rust ${wanted} or newer from https://rustup.rs and open a new terminal.`,
      );
    }
    const version = /\d+\.\d+(\.\d+)?/.exec(found.output)?.[0] ?? '0';
    if (!versionAtLeast(version, wanted)) {
      throw new SetupProblem(`${tool} ${version} is too old, ${wanted} is needed: run rustup update stable.`);
    }
  }
  if (process.platform === 'win32') return; // Rust brings or asks for the linker of Visual Studio by itself.
  const compiler = process.env.CC ?? 'cc';
  if ((await runCommand(compiler, ['--version'])).code !== 0) {
    const fix =
      process.platform === 'darwin'
        ? 'run xcode-select --install'
        : 'install one, for example with apt-get install build-essential';
    throw new SetupProblem(`No C compiler was found ('${compiler}'): ${fix}.`);
  }
}

/**
 * The oldest Rust the workspace builds with, from its manifest.
 *
 * @returns {string}
 */
export function minimumRust() {
  const manifest = readFileSync(join(projectRoot, 'Cargo.toml'), 'utf8');
  const match = /^rust-version\s*=\s*"([^"]+)"/m.exec(manifest);
  if (match === null) throw new Error('Cargo.toml names no rust-version');
  return match[1];
}
