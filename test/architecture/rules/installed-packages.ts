import { readFileSync } from 'node:fs';
import { importsOf, resolveImport } from '../imports.ts';
import type { Rule, SourceFile } from '../source-tree.ts';

/** What tsconfig.check.json includes, but for the samples of these rules. */
const checked = /^(ts|test(?!\/architecture\/)|examples|templates|scripts)\/.*\.ts$/;

const inBench = packagesOf('bench/package.json');
const inRoot = packagesOf('package.json');

function packagesOf(manifest: string): ReadonlySet<string> {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(new URL(`../../../${manifest}`, import.meta.url), 'utf8')) as Partial<Record<string, object>>;
  return new Set(Object.keys({ ...dependencies, ...devDependencies }));
}

function packageOf(specifier: string): string {
  return specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
}

/**
 * The type check of the project sees every module that a test imports, and what that imports in turn. Packages of the benchmarks
 * are there only where those have been run: such an import is found in a fresh clone only, where nobody looks but CI.
 */
export const installedPackages: Rule = (files) => {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const seen = new Set<SourceFile>(files.filter(({ path }) => checked.test(path)));
  const violations = [];
  // What is added while it goes on comes later.
  for (const file of seen) {
    for (const specifier of importsOf(file)) {
      const path = resolveImport(file, specifier);
      const imported = path === undefined ? undefined : byPath.get(path);
      if (imported !== undefined) seen.add(imported);
      const name = packageOf(specifier);
      if (path === undefined && inBench.has(name) && !inRoot.has(name)) violations.push({ path: file.path, reason: `${name} is installed for the benchmarks only` });
    }
  }
  return violations;
};
