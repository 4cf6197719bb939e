import type { PackageManifest } from '../../common/package-manifest.ts';
import type { Core } from './core.ts';
import type { HostPlatform } from './host-platform.ts';

/** A core with what only the loader asks it. */
export interface VersionedCore extends Core {
  crateVersion(): string;
}

/** What finding the core needs of the world; tests give worlds of their own. */
export interface CoreSurroundings {
  readonly host: HostPlatform;
  readonly nodeVersion: string;
  /** Root folder of this package. */
  readonly root: string;
  readManifest(): PackageManifest;
  fileExists(path: string): boolean;
  /** The file that `require` takes for a package, seen from this one; undefined when it is not installed. */
  resolvePackage(name: string): string | undefined;
  /** Throws what the loader of Node throws. */
  load(file: string): VersionedCore;
  glibcVersion(): string | undefined;
}
