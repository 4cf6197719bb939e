import type { Rule, SourceFile } from '../source-tree.ts';
import { withoutComments } from '../source-tree.ts';

/** Variables that are not ours: conventions of terminals, build tools and test runners. */
const conventions = new Set(
  'CI NO_COLOR FORCE_COLOR TERM COLUMNS PATH CC HOME TMPDIR NODE_ENV NODE_OPTIONS OUT_DIR PROPTEST_CASES'.split(' '),
);

const reads = [
  /\bprocess\.env\.([A-Za-z_]\w*)/g,
  /\bprocess\.env\[\s*['"`]([^'"`]+)['"`]\s*\]/g,
  /\benv::var(?:_os)?\(\s*"([^"]+)"/g,
  /\b(?:option_)?env!\(\s*"([^"]+)"/g,
];
const computedReads = [/\bprocess\.env\[\s*(?!['"`])[^\]]+\]/, /\benv::var(?:_os)?\(\s*[^")\s]/];

/** The environment variables a file reads by name. */
export function environmentReads(file: SourceFile): string[] {
  const code = withoutComments(file.text);
  return reads.flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[1] ?? ''));
}

const isCode = (file: SourceFile): boolean =>
  /^(ts|crates|scripts|test|bench|examples)\//.test(file.path) &&
  /\.(ts|mjs|rs)$/.test(file.path) &&
  !file.path.startsWith('test/architecture/'); // Its samples break the rule on purpose.
const isProduct = (file: SourceFile): boolean => /^(ts|crates\/[^/]+\/src)\//.test(file.path);

/** Our variables are named SAGE_*; those of the product are documented. No name is put together at run time. */
export const environmentVariables: Rule = (files) => {
  const documents = files.filter((file) => file.path.endsWith('.md')).map((file) => file.text).join('\n');
  return files.filter(isCode).flatMap((file) => {
    const violations = [...new Set(environmentReads(file))].flatMap((name) => {
      if (conventions.has(name) || name.startsWith('CARGO_')) return [];
      if (!/^SAGE_[A-Z0-9_]+$/.test(name)) return [{ path: file.path, reason: `${name} is not ours: read SAGE_*` }];
      const known = !isProduct(file) || new RegExp(`\\b${name}\\b`).test(documents);
      return known ? [] : [{ path: file.path, reason: `${name} is in no document (docs/environment-variables.md)` }];
    });
    if (computedReads.some((pattern) => pattern.test(withoutComments(file.text)))) {
      violations.push({ path: file.path, reason: 'reads a variable whose name is not in the source' });
    }
    return violations;
  });
};
