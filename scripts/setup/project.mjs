import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root folder of the project, with the platform's separators. */
export const projectRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Where set-up keeps its stamps, its lock and its reports: never tracked, gone with `target/`. */
export const setupFolder = join(projectRoot, 'target', 'setup');

const windows = process.platform === 'win32';

/** The Node of the project (a development dependency), which runs everything but set-up itself. */
export const projectNode = join(projectRoot, 'node_modules', 'node', 'bin', windows ? 'node.exe' : 'node');

/** The environment of every command: the project's own tools come first on the path. */
export function toolEnvironment(extra = {}) {
  const separator = windows ? ';' : ':';
  const tools = join(projectRoot, 'node_modules', '.bin');
  return { ...process.env, PATH: `${tools}${separator}${process.env.PATH ?? ''}`, ...extra };
}
