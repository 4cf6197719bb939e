import { join } from 'node:path';

import { SageError } from '../../common/errors.ts';
import type { PackageManifest } from '../../common/package-manifest.ts';
import type { Core } from './core.ts';
import type { CoreSurroundings, VersionedCore } from './core-surroundings.ts';
import { platformName } from './host-platform.ts';
import { describeHost, loadProblem, missingProblem } from './native-problems.ts';

const NAME = 'sage-kernel';

/**
 * Loads the core: the one that was built in this checkout, else that of the installed platform package.
 *
 * @throws SageError SAGE_NATIVE_MISSING when there is none, SAGE_NATIVE_LOAD when it does not load, SAGE_NATIVE_VERSION when it
 * belongs to another version of this package.
 */
export function findCore(world: CoreSurroundings): Core {
  const platform = platformName(world.host);
  const manifest = ownManifest(world);
  const local = join(world.root, 'native', `${NAME}.${platform}.node`);
  const packageName = `${NAME}-${platform}`;
  const file = world.fileExists(local) ? local : world.resolvePackage(packageName);
  if (file === undefined) {
    throw missingProblem({ platform, host: describeHost(world), local, packageName, manifest, isInstalled: (name) => world.resolvePackage(name) !== undefined });
  }
  let core: VersionedCore;
  try {
    core = world.load(file);
  } catch (error) {
    throw loadProblem({ platform, host: describeHost(world), file, packageName, manifest, isLocal: file === local, error });
  }
  const version = core.crateVersion();
  if (version !== manifest.version) {
    throw new SageError('SAGE_NATIVE_VERSION', `the native core ${file} is of version ${version}, and ${NAME} is ${manifest.version}`, {
      help: file === local ? 'Build it again: npm run setup.' : `Install both in one version: npm install ${NAME}@${manifest.version}.`,
      context: { file },
    });
  }
  return core;
}

/** A bundler that copies our code into another file leaves the core and the entry of the worker threads behind. */
function ownManifest(world: CoreSurroundings): PackageManifest {
  let manifest: PackageManifest | undefined;
  try {
    manifest = world.readManifest();
  } catch {
    // There is none above a bundle.
  }
  if (manifest?.name === NAME) return manifest;
  throw new SageError('SAGE_NATIVE_MISSING', `${NAME} was bundled into another file, where neither its native core nor its worker threads can be found`, {
    help: `Keep it out of the bundle, for example esbuild --external:${NAME}, and install it beside the bundle.`,
  });
}
