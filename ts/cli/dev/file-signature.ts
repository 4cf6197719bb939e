import { statSync } from 'node:fs';

/** A text that is another one after each save of the file; `null` when there is no file. */
export function fileSignature(path: string): string | null {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? null : `${stats.ino}:${stats.size}:${stats.mtimeNs}`;
}
