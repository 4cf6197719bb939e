import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';

import { SageError } from '../../common/errors.ts';
import { packageRoot } from '../../common/package-paths.ts';
import type { Core } from './core.ts';

let loaded: Core | undefined;

/** `linux-x64-gnu`, `darwin-arm64` and so on: what a prebuilt binary is named after. */
export function platformName(): string {
  const base = `${process.platform}-${process.arch}`;
  if (process.platform !== 'linux') return base;
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return `${base}-${report.header?.glibcVersionRuntime === undefined ? 'musl' : 'gnu'}`;
}

/**
 * Loads the native core, once an isolate. All isolates of a process share the one library and its handles.
 *
 * @throws SageError SAGE_NATIVE_MISSING when there is no binary for this platform, SAGE_NATIVE_LOAD when it does not load.
 */
export function loadCore(): Core {
  if (loaded !== undefined) return loaded;
  const name = `sage-kernel.${platformName()}.node`;
  const path = join(packageRoot, 'native', name);
  if (!existsSync(path)) {
    throw new SageError('SAGE_NATIVE_MISSING', `there is no native core for ${platformName()} (${name})`);
  }
  try {
    loaded = createRequire(import.meta.url)(path) as Core;
  } catch (error) {
    throw new SageError('SAGE_NATIVE_LOAD', `the native core ${name} does not load: ${String(error)}`, { cause: error });
  }
  // A program may call process.exit() while jobs run: native threads end, and sinks remove their temporary files.
  if (isMainThread) process.once('exit', loaded.closeAllJobs);
  return loaded;
}
