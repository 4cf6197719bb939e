import { posix } from 'node:path';
import type { SourceFile } from './source-tree.ts';
import { withoutComments } from './source-tree.ts';

const patterns = [
  /^[ \t]*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/gm,
  /^[ \t]*import\s*['"]([^'"]+)['"]/gm,
  /\bimport\s*\(\s*['"]([^'"]+)['"]/g,
  /\brequire\s*\(\s*['"]([^'"]+)['"]/g,
];

/** The module names a file imports or re-exports, types included, as written. */
export function importsOf(file: SourceFile): string[] {
  const code = withoutComments(file.text);
  return patterns.flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[1] ?? ''));
}

/** The path in the project that a relative import means, or `undefined` for a package. */
export function resolveImport(file: SourceFile, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return posix.normalize(posix.join(posix.dirname(file.path), specifier));
}
