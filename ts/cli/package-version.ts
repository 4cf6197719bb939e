import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { packageRoot } from '../common/package-paths.ts';

/** The manifest of this package, as far as the command line needs it. */
export interface PackageManifest {
  readonly version: string;
  readonly engines: { readonly node: string };
}

/** The manifest of this package. */
export function packageManifest(): PackageManifest {
  return JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as PackageManifest;
}

/** The version of this package. */
export function packageVersion(): string {
  return packageManifest().version;
}
