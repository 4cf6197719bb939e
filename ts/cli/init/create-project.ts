import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';

import { packageRoot } from '../../common/package-paths.ts';
import { packageVersion } from '../package-version.ts';
import { UsageError } from '../usage-error.ts';
import type { TemplateName } from './templates.ts';

/** A project that was made. */
export interface CreatedProject {
  readonly template: TemplateName;
  /** Absolute. */
  readonly folder: string;
  /** Below the folder, with `/`. */
  readonly files: readonly string[];
}

/** npm leaves `.gitignore` out of packages, or takes it for its own. */
const GIT_IGNORE = 'gitignore';

/** Refuses a folder that a project would get mixed up with what is there. @throws UsageError */
export function checkFolder(folder: string, isForced: boolean): void {
  const stats = statSync(folder, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isDirectory()) throw new UsageError(`${folder} is a file. Give another folder.`);
  // A repository that was just made is as good as empty.
  const first = readdirSync(folder).find((name) => name !== '.git');
  if (first === undefined || isForced) return;
  throw new UsageError(`${folder} is not empty (${first}). Give another folder, or --force to overwrite files of the same names.`);
}

/** Writes the files of a template. The folder is made if need be. */
export function createProject(folder: string, template: TemplateName): CreatedProject {
  const source = join(packageRoot, 'templates', template);
  const paths = readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(source, join(entry.parentPath, entry.name)))
    .toSorted();
  const absolute = resolve(folder);
  const files = paths.map((path) => {
    const target = path === GIT_IGNORE ? `.${path}` : path;
    const text = readFileSync(join(source, path), 'utf8');
    mkdirSync(dirname(join(absolute, target)), { recursive: true });
    writeFileSync(join(absolute, target), path === 'package.json' ? ownManifest(text, packageName(absolute)) : text);
    return target.replaceAll('\\', '/');
  });
  return { template, folder: absolute, files };
}

/** The template's manifest with the project's name and this version of the package. */
function ownManifest(text: string, name: string): string {
  const manifest = JSON.parse(text) as Record<string, unknown>;
  manifest['name'] = name;
  for (const group of ['dependencies', 'peerDependencies', 'devDependencies']) {
    const versions = manifest[group] as Record<string, string> | undefined;
    if (versions !== undefined && 'sage-kernel' in versions) versions['sage-kernel'] = `^${packageVersion()}`;
  }
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

/** The folder's name, as npm allows names. */
function packageName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replaceAll(/^[._-]+|-+$/g, '');
  return name === '' ? 'pipelines' : name;
}
