import { existsSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Empty in a CommonJS bundle, where `import.meta` is; `loadCore` then says what to do about it. */
const HERE = import.meta.url ? fileURLToPath(import.meta.url) : '';

/** The folder of the package: the nearest one above this file that has a manifest. */
function findRoot(): string {
  let folder = dirname(HERE);
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

/** Root folder of this package, wherever its modules lie in it: sources, compiled files or bundles. */
export const packageRoot: string = findRoot();

/** Whether the sources run as they are (a checkout, Node strips the types) and not what was built of them. */
export const runsFromSource: boolean = HERE.startsWith(join(packageRoot, 'ts') + sep);

/** The folder of our own code; frames of it are never the user's. Ends with a separator. */
export const ownCode: string = join(packageRoot, runsFromSource ? 'ts' : 'dist') + sep;

/** A file of the package that is not imported but opened: given as it lies in the sources, without its extension. */
export function entryFile(path: string): string {
  return join(ownCode, runsFromSource ? `${path}.ts` : `${path}.js`);
}
