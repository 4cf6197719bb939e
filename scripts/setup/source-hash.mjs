import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './project.mjs';

/**
 * One hash over the contents of files and folders. Contents and not times, because a git clone or checkout
 * gives every file a fresh time.
 *
 * @param {readonly string[]} paths relative to the project's root; what does not exist counts as empty
 * @param {(relativePath: string) => boolean} [skip] files and folders that cannot change the result
 * @returns {string} hexadecimal
 */
export function sourceHash(paths, skip = () => false) {
  const hash = createHash('sha256');
  const visit = (relative) => {
    if (skip(relative)) return;
    const absolute = join(projectRoot, relative);
    const stats = statSync(absolute, { throwIfNoEntry: false });
    if (stats === undefined) return;
    if (stats.isDirectory()) {
      for (const name of readdirSync(absolute).sort()) visit(`${relative}/${name}`);
    } else {
      const content = readFileSync(absolute);
      hash.update(`${relative}\0${content.length}\0`).update(content);
    }
  };
  for (const path of paths) visit(path);
  return hash.digest('hex');
}
