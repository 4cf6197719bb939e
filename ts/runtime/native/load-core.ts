import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';

import { readPackageManifest } from '../../common/package-manifest.ts';
import { packageRoot } from '../../common/package-paths.ts';
import type { Core } from './core.ts';
import type { VersionedCore } from './core-surroundings.ts';
import { findCore } from './find-core.ts';
import { hostPlatform, processProbe } from './host-platform.ts';

let loaded: Core | undefined;

/**
 * Loads the native core, once an isolate. All isolates of a process share the one library and its handles.
 *
 * @throws SageError SAGE_NATIVE_MISSING when there is no core for this platform, SAGE_NATIVE_LOAD when it does not load,
 * SAGE_NATIVE_VERSION when it belongs to another version of the package.
 */
export function loadCore(): Core {
  if (loaded !== undefined) return loaded;
  loaded = findCore({
    host: hostPlatform(),
    nodeVersion: process.versions.node,
    root: packageRoot,
    readManifest: readPackageManifest,
    fileExists: existsSync,
    resolvePackage,
    load: (file) => requireHere()(file) as VersionedCore,
    glibcVersion: processProbe.glibcVersion,
  });
  // A program may call process.exit() while jobs run: native threads end, and sinks remove their temporary files.
  if (isMainThread) process.once('exit', loaded.closeAllJobs);
  return loaded;
}

/** Not at the top: in a CommonJS bundle it would fail before {@link findCore} can say what is wrong. */
function requireHere(): NodeJS.Require {
  return createRequire(import.meta.url);
}

function resolvePackage(name: string): string | undefined {
  try {
    return requireHere().resolve(name);
  } catch {
    return undefined;
  }
}
