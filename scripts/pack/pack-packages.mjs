import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { projectNode, projectRoot } from '../setup/project.mjs';
import { lastLines, runCommand } from '../setup/run-command.mjs';
import { SetupProblem } from '../setup/setup-problem.mjs';
import { packedDocument, repositoryAddress } from './packed-documents.mjs';
import { allTargets } from './targets.mjs';

/** Fields of the manifest that only mean something in the repository. */
const UNPUBLISHED = new Set(['scripts', 'devDependencies', 'overrides', 'napi']);

/**
 * @typedef {object} PackedPackage
 * @property {string} name
 * @property {string} file the tarball
 * @property {number} packedBytes what is downloaded
 * @property {number} unpackedBytes what lies in node_modules
 */

/**
 * Packs the package itself and one package for each binary.
 *
 * The package names those of all targets as `optionalDependencies`; npm then installs the one whose `os`, `cpu` and `libc` fit. Their
 * manifests are napi's, from the manifest in the repository.
 *
 * @param {readonly { target: import('./targets.mjs').PackTarget, file: string }[]} binaries
 * @param {string} output folder that exists
 * @param {string | undefined} repository
 * @returns {Promise<PackedPackage[]>}
 */
export async function packPackages(binaries, output, repository) {
  mkdirSync(join(projectRoot, 'out'), { recursive: true });
  const stage = mkdtempSync(join(projectRoot, 'out', 'pack-'));
  try {
    const manifest = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
    if (repository !== undefined) manifest.repository = { type: 'git', url: repository };
    checkCrateVersion(manifest.version);
    const platforms = await platformPackages(manifest, binaries, join(stage, 'platforms'));
    const folders = [...platforms, await mainPackage(manifest, join(stage, 'main'))];
    const packed = [];
    for (const folder of folders) packed.push(await packFolder(folder, output));
    return packed;
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

/** The loader refuses a core of another version, so both must be changed together. */
function checkCrateVersion(version) {
  const crates = /^version\s*=\s*"([^"]+)"/m.exec(readFileSync(join(projectRoot, 'Cargo.toml'), 'utf8'))?.[1];
  if (crates === version) return;
  throw new SetupProblem(`package.json says version ${version} and Cargo.toml ${crates}: give both the same.`);
}

async function platformPackages(manifest, binaries, folder) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  const napi = join(projectRoot, 'node_modules', '@napi-rs', 'cli', 'dist', 'cli.js');
  await mustRun(projectNode, [napi, 'create-npm-dirs', '--cwd', folder], folder);
  return binaries.map(({ target, file }) => {
    const place = join(folder, 'npm', target.platform);
    copyFileSync(file, join(place, target.binary));
    copyFileSync(join(projectRoot, 'LICENSE'), join(place, 'LICENSE'));
    return place;
  });
}

async function mainPackage(manifest, folder) {
  const listing = await mustRun('npm', ['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=error'], projectRoot);
  const [{ files }] = Object.values(JSON.parse(listing.slice(listing.search(/^[[{]/m))));
  const packed = new Set(files.map(({ path }) => path));
  const address = repositoryAddress(manifest);
  for (const path of packed) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    cpSync(join(projectRoot, path), join(folder, path));
    if (/^(README\.md|docs\/.*\.(md|txt))$/.test(path)) writeFileSync(join(folder, path), packedDocument(readFileSync(join(projectRoot, path), 'utf8'), path, packed, address));
  }
  const published = Object.entries(manifest).filter(([field]) => !UNPUBLISHED.has(field));
  const platforms = allTargets().map(({ platform }) => [`${manifest.name}-${platform}`, manifest.version]);
  const optionalDependencies = Object.fromEntries(platforms);
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ ...Object.fromEntries(published), optionalDependencies }, null, 2)}\n`);
  return folder;
}

async function packFolder(folder, output) {
  const report = await mustRun('npm', ['pack', '--json', '--ignore-scripts', '--loglevel=error', '--pack-destination', output], folder);
  // npm 11 gives a list, later ones an object with the names as keys.
  const [{ name, filename, size, unpackedSize }] = Object.values(JSON.parse(report.slice(report.search(/^[[{]/m))));
  return { name, file: join(output, filename), packedBytes: size, unpackedBytes: unpackedSize };
}

async function mustRun(command, args, cwd) {
  const { code, output } = await runCommand(command, args, { cwd });
  if (code === 0) return output;
  throw new SetupProblem(`${command} ${args[0]} failed:\n${lastLines(output)}`);
}
