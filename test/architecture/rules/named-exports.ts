import type { Rule } from '../source-tree.ts';
import { isGenerated, withoutComments } from '../source-tree.ts';

/** Every export of the product has a name and is listed where it is re-exported. */
export const namedExports: Rule = (files) =>
  files
    .filter((file) => file.path.startsWith('ts/') && file.path.endsWith('.ts') && !isGenerated(file))
    .flatMap((file) => {
      const code = withoutComments(file.text);
      const violations = [];
      if (/^[ \t]*export\s+default\b/m.test(code) || /\bas\s+default\b/.test(code)) {
        violations.push({ path: file.path, reason: 'default exports have no name: export by name' });
      }
      if (/^[ \t]*export\s+(type\s+)?\*/m.test(code)) {
        violations.push({ path: file.path, reason: 'export * hides what is public: list the names' });
      }
      return violations;
    });
