import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setupFolder } from './project.mjs';

/** What a build was made from; `undefined` when it was never made (or the note about it cannot be read). */
export function readStamp(name) {
  try {
    return JSON.parse(readFileSync(join(setupFolder, `${name}.json`), 'utf8'));
  } catch {
    return undefined;
  }
}

/** Notes what a build was made from. A reader sees the old note or the new one, never half of one. */
export function writeStamp(name, value) {
  mkdirSync(setupFolder, { recursive: true });
  const path = join(setupFolder, `${name}.json`);
  writeFileSync(`${path}.${process.pid}.tmp`, `${JSON.stringify(value, null, 2)}\n`);
  renameSync(`${path}.${process.pid}.tmp`, path);
}
