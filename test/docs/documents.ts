import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { docCommentsOf, type Fence, fencesOf } from './fences.ts';
import { ROOT } from '../../scripts/docs/source-file.ts';

/** A text with fenced blocks. */
export interface Document {
  /** From the root of the repository. */
  readonly path: string;
  readonly fences: readonly Fence[];
}

/** What people read: the Markdown files but the generated one, and the doc comments of the sources. */
export function documents(): readonly Document[] {
  const markdown = globSync(['README.md', 'CONTRIBUTING.md', 'docs/**/*.md', 'examples/**/*.md', 'bench/*.md'], { cwd: ROOT });
  const sources = globSync('ts/**/*.ts', { cwd: ROOT, exclude: ['**/generated/**'] });
  return [...markdown, ...sources]
    .toSorted()
    .map((path) => {
      const text = readFileSync(join(ROOT, path), 'utf8');
      return { path, fences: fencesOf(path.endsWith('.ts') ? docCommentsOf(text) : text) };
    })
    .filter(({ path, fences }) => path.endsWith('.md') || fences.length > 0);
}
