import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { checkNativeTools } from '../setup/check-tools.mjs';
import { projectNode, projectRoot } from '../setup/project.mjs';
import { lastLines, runCommand } from '../setup/run-command.mjs';
import { SetupProblem } from '../setup/setup-problem.mjs';
import { isFile } from './targets.mjs';

/** The oldest glibc that the cores for Linux run on: that of the official binaries of Node 22, the oldest Node we support. */
const OLDEST_GLIBC = '2.28';

/**
 * Builds the core for a target in release mode.
 *
 * Linux targets are linked by zig (`cargo zigbuild`), which brings both C libraries: the result does not depend on how new the Linux
 * of the build is. macOS is linked by zig from Linux and by Xcode on a Mac, Windows by Visual Studio, or by cargo-xwin elsewhere.
 *
 * @param {import('./targets.mjs').PackTarget} target
 * @returns {Promise<string>} the file
 */
export async function buildTarget(target) {
  await checkNativeTools();
  const crosses = target.os === 'linux' || target.os !== process.platform;
  if (crosses) await checkCrossTools(target);
  const folder = join(projectRoot, 'target', 'pack', target.triple);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const napi = join(projectRoot, 'node_modules', '@napi-rs', 'cli', 'dist', 'cli.js');
  const triple = target.libc === 'glibc' ? `${target.triple}.${OLDEST_GLIBC}` : target.triple;
  const options = ['--release', '--platform', '--no-js', '--no-dts-cache', '--dts', 'binding.d.ts', '--target', triple];
  if (crosses) options.push('--cross-compile');
  const build = await runCommand(projectNode, [napi, 'build', ...options, '-p', 'sage-node', '--output-dir', folder, '--', '--locked'], {
    echo: process.stdout.isTTY === true,
  });
  const file = join(folder, target.binary);
  if (build.code === 0 && isFile(file)) return file;
  throw new SetupProblem(`The core for ${target.triple} does not build; the last lines of the build follow.\n${lastLines(build.output)}`);
}

/** napi installs what it misses by itself, in whatever version is newest; here it is an error instead. */
async function checkCrossTools(target) {
  const installed = await runCommand('rustc', ['--print', 'target-libdir', '--target', target.triple]);
  if (installed.code !== 0 || !existsSync(installed.output.trim())) {
    throw new SetupProblem(`Rust has no standard library for ${target.triple}: run rustup target add ${target.triple}.`);
  }
  const tools = target.os === 'win32' ? ['cargo-xwin'] : ['cargo-zigbuild', 'zig'];
  for (const tool of tools) {
    const found = await runCommand(tool, [tool === 'zig' ? 'version' : '--version']);
    if (found.code === 0) continue;
    const fix = tool === 'cargo-xwin' ? 'run cargo install cargo-xwin' : 'run pip install ziglang cargo-zigbuild, and put zig on the path';
    throw new SetupProblem(`${tool} was not found, which links for ${target.triple}: ${fix}.`);
  }
}
