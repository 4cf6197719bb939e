import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Machine } from './machine.ts';
import type { RowResult } from './run-case.ts';

/** What a results file holds. */
export interface ResultsFile {
  readonly rows: Record<string, RowResult & { readonly machine: Machine; readonly quick: boolean }>;
}

/** Path of a results file. Names that end in `.local` are not tracked. */
export function resultsPath(name: string): string {
  return fileURLToPath(new URL(`../results/${name}.json`, import.meta.url));
}

/** Reads a results file; an empty one when it is not there. */
export function readResults(name: string): ResultsFile {
  const path = resultsPath(name);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as ResultsFile) : { rows: {} };
}

/** Puts a row into a results file; the other rows stay as they are. */
export function keepRow(name: string, result: RowResult, machine: Machine, quick: boolean): void {
  const path = resultsPath(name);
  const file = readResults(name);
  file.rows[result.row] = { ...result, machine, quick };
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(file, undefined, 2)}\n`);
}
