import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { rows } from '../pipelines/rows.ts';
import { formatTable } from './format-table.ts';
import { readResults } from './results-file.ts';

/** The results that bench/README.md shows; tracked. */
export const REFERENCE = 'reference';

const README = fileURLToPath(new URL('../README.md', import.meta.url));
const BEGIN = '<!-- table: npm run bench -- --table -->\n';
const END = '\n<!-- end of table -->';

/** bench/README.md as it is, and with the table of the tracked results. */
export function readmeWithTable(): { readonly current: string; readonly wanted: string } {
  const current = readFileSync(README, 'utf8');
  const [from, to] = [current.indexOf(BEGIN), current.indexOf(END)];
  if (from < 0 || to < from) throw new Error('bench/README.md has lost the marks of its table');
  return { current, wanted: current.slice(0, from + BEGIN.length) + formatTable(readResults(REFERENCE), rows) + current.slice(to) };
}

/** Writes the table of the tracked results into bench/README.md. */
export function updateReadme(): void {
  writeFileSync(README, readmeWithTable().wanted);
}
