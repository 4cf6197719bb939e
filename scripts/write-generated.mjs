// Writes generated files, or with --check says which committed ones are not what they should be.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * `files` maps paths below `root` to their text. With `--check` on the command line nothing is written, and the process
 * exits with 1 when a file differs. Files that are up to date are not touched, so that builds do not see a change.
 */
export function writeGenerated(root, files, script) {
  const stale = [...files].filter(([path, text]) => {
    const full = join(root, path);
    return !existsSync(full) || readFileSync(full, 'utf8') !== text;
  });
  if (process.argv.includes('--check')) {
    for (const [path] of stale) console.error(`${path} is stale: run node ${script}`);
    if (stale.length > 0) process.exitCode = 1;
    return;
  }
  for (const [path, text] of stale) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    console.log(`wrote ${path}`);
  }
}
