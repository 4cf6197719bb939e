import { type FSWatcher, watch } from 'node:fs';
import { dirname, join } from 'node:path';

import { fileSignature } from './file-signature.ts';

/** Editors save in several steps, and several files at once. */
const QUIET_MS = 80;

/**
 * Tells when files of a set are saved, together those that are saved within a moment. Folders are watched and not the files:
 * many editors save by writing another file and renaming it.
 */
export class FileWatch {
  readonly #onChange: (files: readonly string[]) => void;
  readonly #folders = new Map<string, FSWatcher>();
  /** As each file was when it was last read. */
  readonly #signatures = new Map<string, string | null>();
  readonly #suspects = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(onChange: (files: readonly string[]) => void) {
    this.#onChange = onChange;
  }

  /** Watches a file that was so when it was read; if it is no longer so, that is a change. */
  add(file: string, signature: string | null = fileSignature(file)): void {
    this.#signatures.set(file, signature);
    this.#watchFolder(dirname(file));
    this.#look(file);
  }

  /** Watches these files no longer. */
  keepOnly(files: ReadonlySet<string>): void {
    for (const file of this.#signatures.keys()) if (!files.has(file)) this.#signatures.delete(file);
    const folders = new Set([...files].map((file) => dirname(file)));
    for (const [folder, watcher] of this.#folders) {
      if (folders.has(folder)) continue;
      watcher.close();
      this.#folders.delete(folder);
    }
  }

  /** Watches nothing any more. */
  close(): void {
    clearTimeout(this.#timer);
    this.keepOnly(new Set());
  }

  #watchFolder(folder: string): void {
    if (this.#folders.has(folder)) return;
    let watcher: FSWatcher;
    try {
      watcher = watch(folder, (_event, name) => {
        for (const file of this.#signatures.keys()) if (name === null ? dirname(file) === folder : file === join(folder, name)) this.#look(file);
      });
    } catch (error) {
      // A file that was looked for in a folder that is not there.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    // The folder was removed: nothing in it can be saved.
    watcher.on('error', () => {
      watcher.close();
      this.#folders.delete(folder);
    });
    this.#folders.set(folder, watcher);
  }

  #look(file: string): void {
    if (fileSignature(file) === this.#signatures.get(file)) return;
    this.#suspects.add(file);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tell(), QUIET_MS);
  }

  #tell(): void {
    const changed = [...this.#suspects].filter((file) => this.#signatures.has(file) && fileSignature(file) !== this.#signatures.get(file));
    this.#suspects.clear();
    for (const file of changed) this.#signatures.set(file, fileSignature(file));
    if (changed.length > 0) this.#onChange(changed);
  }
}
