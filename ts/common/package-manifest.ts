import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { packageRoot } from './package-paths.ts';

/** What is read of the manifest of this package. */
export interface PackageManifest {
  readonly name: string;
  readonly version: string;
  /** The packages with the prebuilt cores. Only what is published has them: `npm run pack` writes them. */
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** The manifest at {@link packageRoot}; that of somebody else when a bundler took our code out of its package. */
export function readPackageManifest(): PackageManifest {
  return JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as PackageManifest;
}
