import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { checkNativeTools } from './check-tools.mjs';
import { projectNode, projectRoot, setupFolder } from './project.mjs';
import { lastLines, runCommand } from './run-command.mjs';
import { SetupProblem } from './setup-problem.mjs';
import { sourceHash } from './source-hash.mjs';
import { readStamp, writeStamp } from './stamp.mjs';

const nativeFolder = join(projectRoot, 'native');

/** The TypeScript declarations of the binding, as the last build of the addon generated them. */
export const builtBindingTypes = join(setupFolder, 'binding.d.ts');

/** What the addon is made from. Tests and benchmarks of the crates cannot change it, nor can most of the manifest. */
function addonSources() {
  const { napi, devDependencies } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
  const manifest = JSON.stringify([napi, devDependencies['@napi-rs/cli']]);
  const cannotMatter = (path) => /^crates\/[^/]+\/(tests|benches|examples)$/.test(path) || path.endsWith('.md');
  const platform = `${process.platform}-${process.arch}`;
  return `${platform}:${manifest}:${sourceHash(['Cargo.toml', 'Cargo.lock', 'crates'], cannotMatter)}`;
}

/** Whether the addon that is there was built on this platform from the sources that are there. */
export function addonIsCurrent() {
  const stamp = readStamp('addon');
  if (stamp === undefined || !existsSync(builtBindingTypes)) return false;
  const built = statSync(join(nativeFolder, stamp.file), { throwIfNoEntry: false });
  return built !== undefined && built.size === stamp.bytes && stamp.sources === addonSources();
}

/**
 * Builds the addon in release mode and puts it in `native/`. It is built aside and renamed into place, so that
 * a process which has the old one loaded keeps it whole.
 */
export async function buildAddon() {
  await checkNativeTools();
  // Before the build: a file that is edited while cargo runs must make the result stale.
  const sources = addonSources();
  const aside = join(setupFolder, 'addon-build');
  rmSync(aside, { recursive: true, force: true }); // What a set-up that was killed has left.
  mkdirSync(aside, { recursive: true });
  try {
    const napi = join(projectRoot, 'node_modules', '@napi-rs', 'cli', 'dist', 'cli.js');
    const options = ['--release', '--platform', '--no-js', '--no-dts-cache', '--dts', 'binding.d.ts'];
    const build = await runCommand(
      projectNode,
      [napi, 'build', ...options, '-p', 'sage-node', '--output-dir', aside, '--', '--locked'],
      { echo: process.stdout.isTTY === true },
    );
    const file = readdirSync(aside).find((name) => name.endsWith('.node'));
    if (build.code !== 0 || file === undefined) {
      throw new SetupProblem(`The native addon does not build; the last lines of the build follow.\n${lastLines(build.output)}`);
    }
    mkdirSync(nativeFolder, { recursive: true });
    const bytes = statSync(join(aside, file)).size;
    renameSync(join(aside, file), join(nativeFolder, file));
    renameSync(join(aside, 'binding.d.ts'), builtBindingTypes);
    writeStamp('addon', { file, bytes, sources });
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}
